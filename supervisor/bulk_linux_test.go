package supervisor_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

// Every line belongs to the task that printed it, however far ahead the worker reads.
func TestOutputIsAttributedToTheTaskThatPrintedIt(t *testing.T) {
	const n = 2000
	cfg := faulty(supervisor.PoolConfig{Workers: 1})
	cfg.RecordAttempts = true
	s := ready(t, cfg)
	in := func(yield func(task.Task, error) bool) {
		for i := range n {
			lines := 1 + i%3
			payload := fmt.Sprintf(`{"stdout":"out-%d","stderr":"err-%d","lines":%d}`, i, i, lines)
			if !yield(task.Task{ID: fmt.Sprint(i), Name: "print", Payload: []byte(payload)}, nil) {
				return
			}
		}
	}
	results := 0
	for r := range s.Map(t.Context(), in, supervisor.MapOptions{}) {
		results++
		var i int
		fmt.Sscan(completed(t, r).Task.ID, &i)
		if len(r.Attempts) != 1 {
			t.Fatalf("task %d: %+v", i, r)
		}
		tail := r.Attempts[0].OutputTail
		var out, err string
		for line := range strings.Lines(tail) {
			if strings.HasPrefix(line, "out") {
				out += line
			} else {
				err += line
			}
		}
		lines := 1 + i%3
		if out != strings.Repeat(fmt.Sprintf("out-%d\n", i), lines) || err != strings.Repeat(fmt.Sprintf("err-%d\n", i), lines) {
			t.Errorf("task %d printed %q", i, tail)
		}
	}
	if results != n {
		t.Errorf("%d results", results)
	}
}

// Workers are shot at random while tasks run: all complete, none starts too often.
func TestTasksSurviveTheKillingOfWorkers(t *testing.T) {
	const n, every = 3000, 150
	s := ready(t, faulty(supervisor.PoolConfig{Workers: 4, MaxAttempts: 10, MaxCrashes: 10}))
	rnd, seen := rand.New(rand.NewPCG(1, 2)), map[string]bool{}
	for r := range s.Map(t.Context(), count(n, "pid"), supervisor.MapOptions{Limit: 200}) {
		completed(t, r)
		if seen[r.Task.ID] || r.Started > 10 {
			t.Fatalf("task %s, after %d starts, again: %v", r.Task.ID, r.Started, seen[r.Task.ID])
		}
		seen[r.Task.ID] = true
		if len(seen)%every == 0 {
			if pids := children(t, os.Getpid()); len(pids) > 0 {
				kill(t, pids[rnd.IntN(len(pids))])
			}
		}
	}
	if len(seen) != n {
		t.Errorf("%d results", len(seen))
	}
	if got := s.Snapshot().Pools[0].Restarts["signal"]; got < n/every/2 {
		t.Errorf("only %d workers were killed", got)
	}
}
