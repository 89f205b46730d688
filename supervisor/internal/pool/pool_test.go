package pool_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/pool"
	"github.com/brood-run/brood/supervisor/task"
)

func TestPoolKeepsItsNumberOfWorkers(t *testing.T) {
	r := begin(t, func(c *pool.Config) { c.Workers = 3 })
	pids := map[int]bool{}
	for range 3 {
		pids[until(r, every[event.WorkerReady]).PID] = true
	}
	for pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if e := until(r, every[event.WorkerReady]); pids[e.PID] {
			t.Errorf("worker %d is ready again", e.PID)
		}
	}
	v := r.pool.View()
	if v.Restarts["signal"] != 3 || v.PeakRSS == 0 {
		t.Errorf("got %+v", v)
	}
	if up, ok := <-r.pool.Up(); ok {
		t.Errorf("got %v", up)
	}
	if names := r.pool.Serves().Tasks; len(names) < 10 {
		t.Errorf("serves %v", names)
	}
}

// The replacement is warm before the old worker drains.
func TestReplacementIsWarmBeforeTheOldOneGoes(t *testing.T) {
	r := begin(t, func(c *pool.Config) { c.Workers, c.TTL = 1, 50*time.Millisecond })
	old := until(r, every[event.WorkerReady])
	var order []string
	for len(order) < 4 {
		switch e := (until(r, every[event.Event])).(type) {
		case event.WorkerReady:
			order = append(order, "ready")
		case event.WorkerDraining:
			if e.PID == old.PID {
				order = append(order, "draining")
			}
		case event.WorkerExited:
			if e.PID == old.PID {
				if order = append(order, "exited"); e.Reason != "ttl" {
					t.Errorf("got %v", e)
				}
				if len(order) < 3 || order[0] != "ready" || order[1] != "draining" {
					t.Errorf("got %v", order)
				}
				return
			}
		}
	}
	t.Errorf("the old one stays: %v", order)
}

// However many wear out together, one more than the pool's number is up or coming at a time.
func TestNewWorkersComeOneAtATimeWhenTheOldWearOut(t *testing.T) {
	r := begin(t, func(c *pool.Config) { c.Workers, c.TTL = 4, 100*time.Millisecond })
	serving, most := map[string]bool{}, 0
	for ended := 0; ended < 8; {
		switch e := (until(r, every[event.Event])).(type) {
		case event.WorkerStarting:
			serving[e.Worker] = true
			most = max(most, len(serving))
		case event.WorkerDraining:
			delete(serving, e.Worker)
		case event.WorkerExited:
			delete(serving, e.Worker)
			if ended++; e.Reason != "ttl" {
				t.Errorf("got %v", e)
			}
		}
	}
	if most != 5 {
		t.Errorf("%d workers at once in a pool of 4", most)
	}
}

func TestMaxTasksPerChild(t *testing.T) {
	r := begin(t, func(c *pool.Config) { c.Workers, c.MaxTasksPerChild = 1, 3 })
	did := map[string]int{}
	for range 12 {
		res := r.run("pid", "")
		if res.Status != task.Completed {
			t.Fatalf("got %+v", res)
		}
		did[string(res.Payload)]++
	}
	for who, n := range did {
		if n != 3 {
			t.Errorf("%s did %d tasks", who, n)
		}
	}
	for range 3 {
		if e := until(r, every[event.WorkerExited]); e.Reason != "max_tasks" || e.Exit != "exit code 0" {
			t.Errorf("got %v", e)
		}
	}
}

// A worker of few tasks is worn out without a warning, so there is one to take its place.
func TestShortLivesHaveASpare(t *testing.T) {
	r := begin(t, func(c *pool.Config) { c.Workers, c.MaxTasksPerChild = 1, 1 })
	for range 2 {
		until(r, every[event.WorkerReady])
	}
	if res := r.run("ok", ""); res.Status != task.Completed {
		t.Errorf("got %+v", res)
	}
	until(r, every[event.WorkerReady])
	if n := len(r.pool.View().Workers); n > 3 {
		t.Errorf("%d workers, want two and perhaps one that leaves", n)
	}
}

// A pool that never had a worker says why, and goes on trying.
func TestPoolThatCannotStartGivesUpHopeOnly(t *testing.T) {
	r := begin(t, func(c *pool.Config) { c.Worker.Env = []string{"FAULTY_START=exit"} })
	<-r.pool.GaveUp()
	if err := r.pool.StartError(); err == nil || !strings.Contains(err.Error(), "exit code 7") {
		t.Errorf("got %v", err)
	}
	until(r, every[event.PoolDegraded])
	until(r, every[event.WorkerStarting])
	if d := r.pool.View().Degraded; !strings.HasPrefix(d, "worker cannot start: ") {
		t.Errorf("degraded: %q", d)
	}
}

// The spare worker leaves for idleness too, and the next task finds one all the same.
func TestIdlePoolWithASpareGrowsOnDemand(t *testing.T) {
	r := begin(t, func(c *pool.Config) { c.Workers, c.MaxTasksPerChild, c.IdleTTL = 1, 5, 30*time.Millisecond })
	for range 2 {
		if e := until(r, every[event.WorkerExited]); e.Reason != "idle" {
			t.Fatalf("got %v", e)
		}
	}
	if res := r.run("ok", ""); res.Status != task.Completed {
		t.Errorf("got %+v", res)
	}
}

func TestIdlePoolShrinksAndGrowsOnDemand(t *testing.T) {
	r := begin(t, func(c *pool.Config) { c.Workers, c.IdleTTL = 2, 30*time.Millisecond })
	for range 2 {
		if e := until(r, every[event.WorkerExited]); e.Reason != "idle" {
			t.Fatalf("got %v", e)
		}
	}
	if res := r.run("ok", ""); res.Status != task.Completed {
		t.Errorf("got %+v", res)
	}
}

func TestStopLetsWorkersLeaveByThemselves(t *testing.T) {
	r := begin(t, nil)
	for range 2 {
		until(r, every[event.WorkerReady])
	}
	r.pool.Stop()
	r.pool.Stop()
	<-r.pool.Done()
	for range 2 {
		if e := until(r, every[event.WorkerExited]); e.Reason != "shutdown" || e.Exit != "exit code 0" {
			t.Errorf("got %v", e)
		}
	}
	if v := r.pool.View(); len(v.Workers) != 0 {
		t.Errorf("left: %+v", v.Workers)
	}
}

func TestKillEndsWorkersInTheMiddleOfTheirStart(t *testing.T) {
	r := begin(t, func(c *pool.Config) { c.Worker.Env = []string{"FAULTY_START=hang"} })
	until(r, every[event.WorkerStarting])
	r.pool.Kill()
	select {
	case <-r.pool.Done():
	case <-time.After(10 * time.Second):
		t.Error("not killed")
	}
}
