package jetstream

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// victim is the variable that makes the test binary a process that is about to be killed: its value is
// the data directory.
const victim = "BROOD_TEST_VICTIM"

// beVictim submits, leases and answers tasks, and says on its standard output what it was told, until it is
// killed.
func beVictim(dir string) error {
	b, err := Open(context.Background(), Config{Dir: dir})
	if err != nil {
		return err
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

func TestLockedDirectory(t *testing.T) {
	dir := t.TempDir()
	openAt(t, Config{Dir: dir})
	_, err := Open(t.Context(), Config{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("in use by another process pid %d since ", os.Getpid())) {
		t.Errorf("a second broker on the same directory: %v", err)
	}
}
