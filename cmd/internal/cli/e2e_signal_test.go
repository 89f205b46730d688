package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// again is what brood says once it has taken the first signal.
const again = "again to stop now"

// interruptible is a run of faulty with pipes for input and output.
type interruptible struct {
	*brood
	feed *os.File
	out  *os.File
}

func startInterruptible(t *testing.T, args ...string) *interruptible {
	t.Helper()
	in, feed := pipe(t)
	results, out := pipe(t)
	b := newBrood(t, append([]string{"run", "--plugin", "faulty", "--log-level", "debug"}, args...)...)
	b.cmd.Stdin, b.cmd.Stdout = in, out
	b.start()
	in.Close()
	out.Close()
	return &interruptible{brood: b, feed: feed, out: results}
}

// rest returns the results that are left.
func (i *interruptible) rest() []resultLine {
	i.t.Helper()
	text, err := io.ReadAll(i.out)
	if err != nil {
		i.t.Fatal(err)
	}
	return decodeResults(i.t, text)
}

// running gives brood a task and waits until a worker has started it.
func (i *interruptible) running(id, name, payload string) {
	i.t.Helper()
	fmt.Fprintf(i.feed, "{\"id\":%q,\"task\":%q,\"payload\":%s}\n", id, name, payload)
	i.awaits("task " + id + " (" + name + ") started")
}

func TestE2EFirstSignalFinishesWhatRuns(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		i := startInterruptible(t, "--workers", "1", "--window", "1", "--queue-size", "4")
		i.running("slow", "sleep", `{"ms":1500}`)
		for n := range 50 {
			fmt.Fprintf(i.feed, "{\"id\":\"later%d\",\"task\":\"ok\",\"payload\":1}\n", n)
		}
		i.signal(sig)
		got := byID(t, i.rest())
		i.exit(exitInterrupted).says("interrupt: finishing 1 running task; "+again, "50 cancelled")
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

func TestE2ESecondSignalStopsAtOnce(t *testing.T) {
	i := startInterruptible(t, "--workers", "2", "--cancel-grace", "1h")
	i.running("hang", "hang", "null")
	workers := children(t, i.cmd.Process.Pid)
	if len(workers) == 0 {
		t.Skip("cannot list child processes here")
	}
	i.signal(syscall.SIGINT)
	i.awaits(again)
	i.signal(syscall.SIGINT)
	i.exit(exitInterrupted)
	for _, pid := range workers {
		if err := syscall.Kill(pid, 0); err == nil && !isZombie(pid) {
			t.Errorf("worker %d is still there", pid)
		}
	}
}

func TestE2ESecondSignalBeatsABlockedOutput(t *testing.T) {
	_, out := pipe(t) // nobody reads it
	b := newBrood(t, "run", "--plugin", "echo", "--log-level", "debug").stdin(numbers(100_000)...)
	b.cmd.Stdout = out
	b.start()
	b.awaits(") started")
	b.signal(syscall.SIGINT)
	b.awaits(again)
	b.signal(syscall.SIGINT)
	b.exit(exitInterrupted)
}

func TestE2EGracePeriodEnds(t *testing.T) {
	i := startInterruptible(t, "--workers", "1", "--grace-period", "100ms")
	i.running("hang", "hang", "null")
	i.signal(syscall.SIGTERM)
	r := i.rest()
	i.exit(exitInterrupted)
	if len(r) != 1 || r[0].Status != "cancelled" {
		t.Errorf("results %+v", r)
	}
}

func TestE2EInterruptDoesNotWaitForAProducer(t *testing.T) {
	i := startInterruptible(t, "--workers", "1", "--grace-period", "1h")
	i.running("done", "ok", "1")
	i.signal(syscall.SIGINT)
	i.exit(exitInterrupted) // the producer's end of the pipe is still open
}

// children lists the processes whose parent is pid; nil where /proc does not tell.
func children(t *testing.T, pid int) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var all []int
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue // that process has ended
		}
		// The name, in parentheses, may hold anything.
		_, rest, _ := strings.Cut(string(raw[bytes.LastIndexByte(raw, ')'):]), " ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			if n, err := strconv.Atoi(filepath.Base(filepath.Dir(f))); err == nil {
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
