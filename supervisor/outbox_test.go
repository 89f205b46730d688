package supervisor_test

import (
	"testing"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

// A worker dies right after tasks it has finished, in every way there is: none of those is
// run again, though their answers may not have been written yet.
func TestFinishedAnswersSurviveTheirWorker(t *testing.T) {
	s := ready(t, faulty(supervisor.PoolConfig{Workers: 1, MaxAttempts: 1}))
	var good []*supervisor.Handle
	for range 20 {
		for _, end := range []struct{ name, payload string }{
			{"exit", ""}, {"signal", `{"signal":"SEGV"}`}, {"signal", `{"signal":"KILL"}`}, {"badframe", ""},
		} {
			for range 30 {
				good = append(good, submit(t, s, "ok", ""))
			}
			submit(t, s, end.name, end.payload).Discard()
		}
	}
	for i, h := range good {
		if r := wait(t, h); r.Status != task.Completed || r.Started != 1 || len(r.Attempts) != 0 {
			t.Fatalf("task %d of %d: %s after %d starts, %+v", i, len(good), r.Status, r.Started, r.Attempts)
		}
	}
}
