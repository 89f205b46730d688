package pool_test

import (
	"syscall"
	"testing"

	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

// Somebody who kills idle workers all the time does not make a plugin look broken that gets on
// with its work: each is replaced at once.
func TestIdleWorkersOfAUsefulPoolAreReplacedAtOnce(t *testing.T) {
	r := begin(t, nil)
	for range 16 { // of one point or a quarter each; beyond three the pool would wait
		idle := until(r, every[event.WorkerReady])
		for range 10 {
			if got := r.run("ok", ""); got.Status != task.Completed {
				t.Fatalf("%+v", got)
			}
		}
		if err := syscall.Kill(idle.PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		until(r, every[event.WorkerExited])
		if why := r.pool.View().Degraded; why != "" {
			t.Fatal(why)
		}
	}
}

// Without any work between them, deaths are no reason to hurry.
func TestIdleWorkersOfAUselessPoolAreNot(t *testing.T) {
	r := begin(t, nil)
	for range 8 {
		idle := until(r, every[event.WorkerReady])
		if err := syscall.Kill(idle.PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		until(r, every[event.WorkerExited])
		if r.pool.View().Degraded != "" {
			return
		}
	}
	t.Error("the pool is not degraded")
}
