package supervisor_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

// caged starts a supervisor whose workers have cgroups, or skips where there can be none.
func caged(t *testing.T, cfg supervisor.Config) *supervisor.Supervisor {
	t.Helper()
	return permitted(t, cfg, supervisor.IsolationCgroup)
}

// However fast the leak, it costs its own worker and nobody else.
func TestKernelStopsALeak(t *testing.T) {
	s := caged(t, faulty(supervisor.PoolConfig{Workers: 2, MaxAttempts: 1, HardMemoryLimit: 64 << 20}))
	leak := submit(t, s, "leak", `{"mib_per_s":4096}`)
	for over := false; !over; {
		completed(t, run(t, s, "ok", ""))
		select {
		case <-leak.Done():
			over = true
		default:
		}
	}
	r := wait(t, leak)
	if r.Err.Kind != task.KindMemoryLimit || !strings.Contains(r.Err.Message, "the kernel killed it at the cgroup's limit of 64 MiB (oom_kill ") {
		t.Errorf("got %v", r.Err)
	}
	if a := r.Attempts[0]; a.Outcome != task.OutcomeMemoryLimit || a.PeakRSS < 48<<20 || a.PeakRSS > 80<<20 {
		t.Errorf("got %+v", a)
	}
	if got := s.Snapshot().Pools[0].Restarts; got["hard_memory_limit"] != 1 || len(got) != 1 {
		t.Errorf("restarts: %v", got)
	}
}

// Its task did nothing that a process group or a session would hold together.
func TestDescendantsDieWithACagedWorker(t *testing.T) {
	for _, reap := range []bool{false, true} {
		t.Run(fmt.Sprintf("reap=%v", reap), func(t *testing.T) {
			cfg := faulty(supervisor.PoolConfig{Workers: 1})
			cfg.ReapOrphans = reap
			if reap {
				adopting(t)
			}
			s := caged(t, cfg)
			events := s.Events(1000)
			pid := pidOf(t, run(t, s, "grandchild", `{"setsid":true,"ms":600000}`))
			if !alive(pid) {
				t.Fatal("there is no grandchild")
			}
			run(t, s, "exit", "")
			await(t, events, func(event.WorkerExited) bool { return true })
			if alive(pid) {
				t.Error("the grandchild was alive when its worker was said to have ended")
			}
		})
	}
}

// The kernel takes the largest process: under v1 that is not always the worker.
func TestKilledDescendantHasItsWorkerReplaced(t *testing.T) {
	for name, payload := range map[string]string{"task goes on": "stay", "task is over": ""} {
		t.Run(name, func(t *testing.T) {
			s := caged(t, probe(supervisor.PoolConfig{Workers: 1, MaxAttempts: 1, HardMemoryLimit: 64 << 20}))
			events := s.Events(1000)
			r := run(t, s, "gorge", payload)
			if payload != "" && (r.Err == nil || r.Err.Kind != task.KindMemoryLimit) {
				t.Errorf("got %v", r.Err)
			}
			if e := await(t, events, func(event.WorkerExited) bool { return true }); e.Reason != "hard_memory_limit" {
				t.Errorf("got %v", e)
			}
		})
	}
}

// What a limit counts is what the figures show.
func TestFiguresAreOfTheTree(t *testing.T) {
	s := caged(t, faulty(supervisor.PoolConfig{Workers: 1}))
	before := s.Snapshot().Pools[0].Workers[0]
	for range 3 {
		run(t, s, "grandchild", `{"setsid":true,"ms":600000}`)
	}
	eventually(t, "the grandchildren count", func() bool {
		return s.Snapshot().Pools[0].Workers[0].RSS > before.RSS+1<<20
	})
	if w := s.Snapshot().Pools[0].Workers[0]; w.PeakRSS < w.RSS || w.CPU <= 0 {
		t.Errorf("got %+v", w)
	}
}

func TestSharedLimitsNeedACgroup(t *testing.T) {
	for name, test := range map[string]struct {
		level  supervisor.Isolation
		limits supervisor.Limits
		want   string
	}{
		"cpu at group":    {supervisor.IsolationGroup, supervisor.Limits{CPU: 1.5}, "limits.cpu"},
		"pids at default": {"", supervisor.Limits{Pids: 50}, "limits.pids"},
		"too little cpu":  {supervisor.IsolationCgroup, supervisor.Limits{CPU: 0.001}, "limits.cpu"},
		"negative pids":   {supervisor.IsolationCgroup, supervisor.Limits{Pids: -1}, "limits.pids"},
		"cpu at cgroup":   {supervisor.IsolationCgroup, supervisor.Limits{CPU: 1.5, Pids: 50}, ""},
		"cpu at pidns":    {supervisor.IsolationPIDNS, supervisor.Limits{CPU: 1.5, Pids: 50}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := supervisor.New(faulty(supervisor.PoolConfig{Isolation: test.level, Limits: test.limits}))
			switch {
			case test.want == "" && err == nil:
			case err == nil || !errors.Is(err, supervisor.ErrConfig) || !strings.Contains(err.Error(), test.want):
				t.Errorf("got %v", err)
			}
		})
	}
}
