package supervisor_test

import (
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

// TestABusyWorkerIsNotTakenForADeadOne has a handler burn all the processors its process has,
// after a time in which nothing happened: the runtime's monitor sleeps then, and if
// nobody wakes it no other goroutine of the worker runs, the one that beats included.
func TestABusyWorkerIsNotTakenForADeadOne(t *testing.T) {
	s := ready(t, faulty(supervisor.PoolConfig{
		Workers: 1, MaxAttempts: 1, Env: []string{"GOMAXPROCS=1"},
		Heartbeat: 100 * time.Millisecond, MissedHeartbeats: 5,
	}))
	for range 2 {
		<-time.After(300 * time.Millisecond) // the monitor sleeps after some 10 ms of nothing
		if r := wait(t, submit(t, s, "spin", `{"ms":1500}`)); r.Status != task.Completed {
			t.Fatalf("%s: %v", r.Status, r.Err)
		}
	}
}
