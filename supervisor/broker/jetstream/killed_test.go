package jetstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// victim is the variable that makes the test binary a process that is about to be killed: its value is
// the data directory.
const victim = "BROOD_TEST_VICTIM"

// victimEmpties is the variable that makes a victim one that only takes what is there.
const victimEmpties = "BROOD_TEST_VICTIM_EMPTIES"

// beVictim submits, leases and answers tasks, and says on its standard output what it was told, until it is
// killed.
func beVictim(dir string) error {
	b, err := Open(context.Background(), Config{Dir: dir})
	if err != nil {
		return err
	}
	if os.Getenv(victimEmpties) != "" {
		return emptyQueue(b)
	}
	out := bufio.NewWriter(os.Stdout)
	prefix := fmt.Sprint(os.Getpid())
	for round := 0; ; round++ {
		messages := many(fmt.Sprintf("%s-%d", prefix, round), 50)
		if errs := b.Enqueue(context.Background(), messages); errs != nil {
			return errs[0]
		}
		for _, m := range messages {
			fmt.Fprintln(out, "stored", m.Task.ID)
		}
		leases, err := b.Lease(context.Background(), poolName, 40)
		if err != nil {
			return err
		}
		for _, l := range leases {
			fmt.Fprintln(out, "leased", l.Task.ID)
		}
		if err := out.Flush(); err != nil {
			return err
		}
		for _, l := range leases[:len(leases)*3/4] {
			if errs := b.Ack(context.Background(), []broker.Answer{completed(l)}); errs != nil {
				return errs[0]
			}
			fmt.Fprintln(out, "done", l.Task.ID)
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
}

// emptyQueue answers all that is in the queue, and says that its file is gone until it is killed.
func emptyQueue(b *Broker) error {
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		if _, err := os.Stat(blockOf(b.cfg.Dir, "brood_q_p", 1)); errors.Is(err, fs.ErrNotExist) {
			if _, err := fmt.Println("gone"); err != nil {
				return err
			}
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		leases, _ := b.Lease(ctx, poolName, 100) // there may be nothing left
		cancel()
		for _, l := range leases {
			if errs := b.Ack(context.Background(), []broker.Answer{completed(l)}); errs != nil {
				return errs[0]
			}
		}
		<-look.C
	}
}

// kill runs a victim on a directory until it has said so many lines, and returns what it said.
func kill(t *testing.T, dir string, lines int) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), victim+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for in := bufio.NewScanner(out); in.Scan(); {
		said = append(said, in.Text())
		if len(said) == lines {
			if err := cmd.Process.Kill(); err != nil { // SIGKILL
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	if len(said) < lines {
		t.Fatalf("the process ended by itself: %q", said)
	}
	return said
}

// What was acknowledged is there after a SIGKILL, each task has one result, what was leased can be leased
// at once, and the start of what was leased before is counted.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	stored, leased, done := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for round := range 5 {
		for _, line := range kill(t, dir, 400+70*round) {
			what, id, _ := strings.Cut(line, " ")
			map[string]map[string]bool{"stored": stored, "leased": leased, "done": done}[what][id] = true
		}
	}
	b := openAt(t, Config{Dir: dir})
	for seen := map[string]bool{}; ; {
		counts, err := b.Counts(t.Context(), poolName)
		if err != nil {
			t.Fatal(err)
		}
		if counts.Queued == 0 {
			break
		}
		// What was answered a moment ago may still be counted, and is not to be had.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		leases, _ := b.Lease(ctx, poolName, 100)
		cancel()
		for _, l := range leases {
			id := l.Task.ID
			switch {
			case seen[id]:
				t.Errorf("%s was leased twice", id)
			case done[id]:
				t.Errorf("%s was answered and is leased again", id)
			case leased[id] && (l.Delivery < 2 || l.History.Starts != 1):
				t.Errorf("%s was leased before: delivery %d after %d starts", id, l.Delivery, l.History.Starts)
			}
			seen[id] = true
			ack(t, b, l)
		}
	}
	for id := range stored {
		r, err := b.Get(t.Context(), id)
		if err != nil || r.State != task.StateCompleted {
			t.Errorf("%s: %v, %v", id, r.State, err)
		}
	}
	t.Logf("%d tasks stored, %d leased, %d answered", len(stored), len(leased), len(done))
}

// A server removes the file of a queue that is empty. After a SIGKILL its index still knows the file: that nothing is
// lost is for nobody to read about.
func TestKilledWithAnEmptyQueue(t *testing.T) {
	dir := t.TempDir()
	b := opened(t, Config{Dir: dir})
	enqueue(t, b, many("a", 20)...)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	t.Setenv(victimEmpties, "1")
	kill(t, dir, 1)
	var log transcript
	b = openAt(t, Config{Dir: dir, Logger: hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Debug})})
	quiet(t, "killed with an empty queue", &log)
	if !strings.Contains(log.String(), noBlock) {
		t.Errorf("the server did not miss the file: %s", log.String())
	}
	nothing(t, b)
}

func TestLockedDirectory(t *testing.T) {
	dir := t.TempDir()
	openAt(t, Config{Dir: dir})
	_, err := Open(t.Context(), Config{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("in use by another process pid %d since ", os.Getpid())) {
		t.Errorf("a second broker on the same directory: %v", err)
	}
}
