package supervisor_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

// liarSeed chooses other lies for TestLiarsHarmNobodyElse.
const liarSeed = "LIAR_SEED"

// Workers that break the protocol in every way that a generator thinks of have each of their tasks
// end once, and a pool of honest ones beside them does not notice.
func TestLiarsHarmNobodyElse(t *testing.T) {
	const lies = 200
	seed := os.Getenv(liarSeed)
	if seed == "" {
		seed = "1"
	}
	t.Logf("%s=%s", liarSeed, seed)
	s := ready(t, supervisor.Config{Pools: []supervisor.PoolConfig{
		{
			Plugin: plugin("liar"), Workers: 4, Tasks: []string{"lie"}, Env: []string{liarSeed + "=" + seed},
			MaxAttempts: 2, BackoffBase: time.Millisecond, HardTimeout: 50 * time.Millisecond,
		},
		{Plugin: plugin("faulty"), Workers: 1, Tasks: []string{"ok", "pid"}},
	}})
	over := make(chan struct{})
	go func() {
		defer close(over)
		in := func(yield func(task.Task, error) bool) {
			for i := range lies {
				if !yield(task.Task{ID: fmt.Sprint(i), Name: "lie", Payload: strconv.AppendInt(nil, int64(i), 10)}, nil) {
					return
				}
			}
		}
		ended, statuses := map[string]int{}, map[task.Status]int{}
		for r := range s.Map(t.Context(), in, supervisor.MapOptions{}) {
			ended[r.Task.ID]++
			statuses[r.Status]++
			if ended[r.Task.ID] > 1 || r.Started > 2 {
				t.Errorf("task %s ended %d times, after %d starts", r.Task.ID, ended[r.Task.ID], r.Started)
			}
		}
		if len(ended) != lies {
			t.Errorf("%d tasks of %d ended", len(ended), lies)
		}
		t.Logf("%v, workers: %v", statuses, s.Snapshot().Pools[0].Restarts)
	}()
	unnoticed(t, s, over)
}
