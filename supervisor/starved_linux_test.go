package supervisor_test

import (
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

// TestABusyWorkerIsNotTakenForADeadOne has handlers burn all the processors their process has,
// after a time in which nothing happened: the runtime's monitor sleeps then, and if
// nobody wakes it no other goroutine of the worker runs, the one that beats included.
func TestABusyWorkerIsNotTakenForADeadOne(t *testing.T) {
	for procs, slots := range map[string]int{"GOMAXPROCS=1": 1, "GOMAXPROCS=2": 2} {
		t.Run(procs, func(t *testing.T) {
			s := ready(t, faulty(supervisor.PoolConfig{
				Workers: 1, Slots: slots, MaxAttempts: 1, Env: []string{procs},
				Heartbeat: 100 * time.Millisecond, MissedHeartbeats: 5,
			}))
			for range 2 {
				<-time.After(300 * time.Millisecond) // the monitor sleeps after some 10 ms of nothing
				var all []*supervisor.Handle
				for range slots {
					all = append(all, submit(t, s, "spin", `{"ms":1500}`))
				}
				for _, h := range all {
					if r := wait(t, h); r.Status != task.Completed {
						t.Fatalf("%s: %v", r.Status, r.Err)
					}
				}
			}
		})
	}
}
