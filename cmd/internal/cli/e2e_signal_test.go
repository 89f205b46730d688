package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// interruptible is a run of faulty whose output is read line by line.
type interruptible struct {
	*brood
	feed    *os.File
	results *bufio.Reader
}

func startInterruptible(t *testing.T, args ...string) *interruptible {
	t.Helper()
	in, feed := pipe(t)
	results, out := pipe(t)
	b := newBrood(t, append([]string{"run", "--plugin", "faulty"}, args...)...)
	b.cmd.Stdin, b.cmd.Stdout = in, out
	b.start()
	in.Close()
	out.Close()
	return &interruptible{brood: b, feed: feed, results: bufio.NewReader(results)}
}

// next returns the next result.
func (i *interruptible) next() resultLine {
	i.t.Helper()
	text, err := i.results.ReadBytes('\n')
	if err != nil {
		i.t.Fatalf("result: %v\n%s", err, i.stderr.String())
	}
	return decodeResults(i.t, text)[0]
}

// rest returns the results that are left.
func (i *interruptible) rest() []resultLine {
	i.t.Helper()
	text, err := io.ReadAll(i.results)
	if err != nil {
		i.t.Fatal(err)
	}
	return decodeResults(i.t, text)
}

// running waits until a task that names its own process has started another one
// after it: with one worker and one slot, the second is then running or next.
func (i *interruptible) running(task string) {
	i.t.Helper()
	fmt.Fprintf(i.feed, "{\"id\":\"pid\",\"task\":\"pid\",\"payload\":null}\n%s\n", task)
	if r := i.next(); r.ID != "pid" || r.Status != "completed" {
		i.t.Fatalf("first result %+v", r)
	}
}

func TestE2EFirstSignalFinishesWhatRuns(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		i := startInterruptible(t, "--workers", "1", "--window", "1")
		i.running(`{"id":"slow","task":"sleep","payload":{"ms":1500}}`)
		for n := range 50 {
			fmt.Fprintf(i.feed, "{\"id\":\"later%d\",\"task\":\"ok\",\"payload\":1}\n", n)
		}
		awaitWorker(t, i.brood)
		i.signal(sig)
		got := byID(t, i.rest())
		i.exit(exitInterrupted).says("interrupt: finishing 1 running task; again to stop now", "50 cancelled")
		if got["slow"].Status != "completed" {
			t.Errorf("the running task ended as %s", got["slow"].Status)
		}
		for n := range 50 {
			if r := got[fmt.Sprintf("later%d", n)]; r.Status != "cancelled" {
				t.Errorf("later%d ended as %q", n, r.Status)
			}
		}
	}
}

// awaitWorker waits until a worker of brood has read its task, seen from outside
// as one that sleeps with nothing left in its pipe: the parent's log says so.
func awaitWorker(t *testing.T, b *brood) {
	t.Helper()
	until := time.Now().Add(deadline)
	for len(children(t, b.cmd.Process.Pid)) == 0 {
		if time.Now().After(until) {
			t.Fatal("no worker")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestE2ESecondSignalStopsAtOnce(t *testing.T) {
	i := startInterruptible(t, "--workers", "2", "--cancel-grace", "1h")
	i.running(`{"id":"hang","task":"hang","payload":null}`)
	workers := children(t, i.cmd.Process.Pid)
	if len(workers) == 0 {
		t.Skip("cannot list child processes here")
	}
	i.signal(syscall.SIGINT)
	awaitText(t, i.brood, i.results)
	i.signal(syscall.SIGINT)
	i.exit(exitInterrupted)
	for _, pid := range workers {
		if err := syscall.Kill(pid, 0); err == nil && !isZombie(pid) {
			t.Errorf("worker %d is still there", pid)
		}
	}
}

// awaitText waits until the run, interrupted with its producer still there, has
// stopped reading: the pipe breaks for the producer or the signal was noted.
func awaitText(t *testing.T, b *brood, _ *bufio.Reader) {
	t.Helper()
	status := fmt.Sprintf("/proc/%d/status", b.cmd.Process.Pid)
	until := time.Now().Add(deadline)
	for {
		raw, err := os.ReadFile(status)
		if err != nil || !strings.Contains(string(raw), "\nShdPnd:\t0000000000000000\n") {
			if time.Now().After(until) {
				t.Fatal("the signal stays pending")
			}
			time.Sleep(5 * time.Millisecond)
			continue
		}
		return
	}
}

func TestE2ESecondSignalBeatsABlockedOutput(t *testing.T) {
	_, out := pipe(t) // nobody reads it
	b := newBrood(t, "run", "--plugin", "echo").stdin(numbers(100_000)...)
	b.cmd.Stdout = out
	b.start()
	awaitWorker(t, b)
	b.signal(syscall.SIGINT)
	awaitText(t, b, nil)
	b.signal(syscall.SIGINT)
	b.exit(exitInterrupted)
}

func TestE2EGracePeriodEnds(t *testing.T) {
	i := startInterruptible(t, "--workers", "1", "--grace-period", "100ms")
	i.running(`{"id":"hang","task":"hang","payload":null}`)
	i.signal(syscall.SIGTERM)
	r := i.rest()
	i.exit(exitInterrupted)
	if len(r) != 1 || r[0].Status != "cancelled" {
		t.Errorf("results %+v", r)
	}
}

func TestE2EInterruptDoesNotWaitForAProducer(t *testing.T) {
	i := startInterruptible(t, "--workers", "1")
	i.running("")
	i.signal(syscall.SIGINT)
	i.exit(exitInterrupted) // the producer's end of the pipe is still open
}

// children lists the processes whose parent is pid; nil where /proc does not tell.
func children(t *testing.T, pid int) []int {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	var all []int
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue // that thread has ended
		}
		for _, field := range strings.Fields(string(raw)) {
			if n, err := strconv.Atoi(field); err == nil {
				all = append(all, n)
			}
		}
	}
	return all
}

func isZombie(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(raw), ") Z ")
}
