package supervisor_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

func TestEventsTellTheWholeLifeOfATask(t *testing.T) {
	s := create(t, faulty(supervisor.PoolConfig{Workers: 1}))
	events := s.Events(1000)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	h := submit(t, s, "retry", `{"succeed_on":2}`)
	completed(t, wait(t, h))
	s.Close()
	var life, worker []string
	for e := range events.C() {
		switch e := e.(type) {
		case event.TaskQueued, event.TaskStarted, event.TaskAttemptFailed, event.TaskRetrying, event.TaskFinished:
			life = append(life, e.Kind())
		default:
			worker = append(worker, e.Kind())
		}
		if e.When().IsZero() {
			t.Errorf("%v has no time", e)
		}
	}
	if want := []string{"task_queued", "task_started", "task_attempt_failed", "task_retrying", "task_started", "task_finished"}; !slices.Equal(life, want) {
		t.Errorf("task: %v, want %v", life, want)
	}
	if len(worker) < 3 || worker[0] != "worker_starting" || worker[1] != "worker_ready" || worker[len(worker)-1] != "worker_exited" {
		t.Errorf("worker: %v", worker)
	}
	if events.Dropped() != 0 {
		t.Errorf("%d events were lost", events.Dropped())
	}
}

func TestWorkerAsksToBeReplaced(t *testing.T) {
	s := ready(t, probe(supervisor.PoolConfig{Workers: 1}))
	events := s.Events(1000)
	completed(t, run(t, s, "leave", ""))
	if e := await(t, events, func(event.WorkerExited) bool { return true }); e.Reason != "asked" || e.Exit != "exit code 0" {
		t.Errorf("got %v", e)
	}
	completed(t, run(t, s, "log", ""))
}

func TestIdleWorkersLeaveAndComeBackOnDemand(t *testing.T) {
	s := ready(t, faulty(supervisor.PoolConfig{Workers: 2, IdleTTL: 50 * time.Millisecond}))
	events := s.Events(1000)
	for range 2 {
		if e := await(t, events, func(event.WorkerExited) bool { return true }); e.Reason != "idle" {
			t.Fatalf("got %v", e)
		}
	}
	completed(t, run(t, s, "ok", ""))
}

func TestSnapshot(t *testing.T) {
	s := ready(t, probe(supervisor.PoolConfig{Name: "pool", Workers: 1, Window: 1}))
	events := s.Events(1000)
	completed(t, run(t, s, "log", ""))
	h, waiting := submit(t, s, "hold", ""), submit(t, s, "hold", "")
	entered(t, events, h)
	snapshot := s.Snapshot()
	if snapshot.Running != 1 || snapshot.Queued != 1 || snapshot.Processed != 1 || s.Len() != 2 || len(snapshot.Pools) != 1 {
		t.Errorf("got %+v", snapshot)
	}
	pool := snapshot.Pools[0]
	if pool.Name != "pool" || pool.Plugin != plugin("probe") || pool.Degraded != "" || pool.Queued != 1 || len(pool.Workers) != 1 {
		t.Fatalf("got %+v", pool)
	}
	w := pool.Workers[0]
	if w.Name != "pool-1" || w.PID == 0 || w.State != "busy" || w.Task != h.ID() || w.TasksDone != 1 || w.Age <= 0 {
		t.Errorf("got %+v", w)
	}
	if w.RSS < 1<<20 || w.PeakRSS < w.RSS || pool.PeakRSS < w.PeakRSS {
		t.Errorf("RSS %d, peak %d, of the pool %d", w.RSS, w.PeakRSS, pool.PeakRSS)
	}
	waiting.Cancel()
	h.Cancel()
	wait(t, h)
	wait(t, waiting)
}

func TestDescribe(t *testing.T) {
	d, err := supervisor.Describe(t.Context(), supervisor.PoolConfig{Plugin: plugin("echo")}, nil)
	if err != nil || d.Plugin != "echo" || d.Version != "1.0" || d.SDK == "" || d.Wire != 1 || !slices.Equal(d.Tasks, []string{"echo"}) || d.Template {
		t.Errorf("got %+v, %v", d, err)
	}
	noChildren(t)
}

// A plugin that cannot be started says why, in words that tell what to do.
func TestWhyAPluginCannotBeStarted(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		pool supervisor.PoolConfig
		want string
	}{
		"missing":        {supervisor.PoolConfig{Plugin: filepath.Join(dir, "nothing")}, "no such file"},
		"not executable": {supervisor.PoolConfig{Plugin: file("plain", "#!/bin/sh\n", 0o644)}, "not executable"},
		"architecture":   {supervisor.PoolConfig{Plugin: file("elf", "\x7fELF\x02\x01\x01"+strings.Repeat("\x00", 9)+"\x02\x00\xff\x00"+strings.Repeat("\x00", 100), 0o755)}, "elf"},
		"killed early":   {supervisor.PoolConfig{Plugin: file("killed", "#!/bin/sh\necho '1|1|tcp|127.0.0.1:0|brood|'\nkill -9 $$\n", 0o755)}, "ended before it was ready: killed by SIGKILL"},
		"script error":   {supervisor.PoolConfig{Plugin: file("script", "#!/bin/sh\nno-such-command-here\n", 0o755)}, "exit code 127"},
		"dies at start":  {supervisor.PoolConfig{Plugin: plugin("faulty"), Env: []string{"FAULTY_START=exit"}}, "exit code 7"},
		"is no plugin":   {supervisor.PoolConfig{Plugin: plugin("faulty"), Env: []string{"FAULTY_START=garbage"}}, "this is not the line"},
		"hangs at start": {supervisor.PoolConfig{Plugin: plugin("faulty"), Env: []string{"FAULTY_START=hang"}, StartTimeout: 100 * time.Millisecond}, "within 100ms"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := supervisor.Describe(t.Context(), c.pool, nil)
			var why *supervisor.StartError
			if !errors.Is(err, supervisor.ErrNoWorker) || !errors.As(err, &why) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
			noChildren(t)
		})
	}
}

func TestWaitReadyGivesUpWithItsContext(t *testing.T) {
	s := start(t, faulty(supervisor.PoolConfig{Env: []string{"FAULTY_START=slow"}}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.WaitReady(ctx); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

// buffer is a log that many may write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// What a handler logs or prints reaches the supervisor's log under its task's id.
func TestLogLinesCarryTheirTask(t *testing.T) {
	var log buffer
	cfg := probe(supervisor.PoolConfig{Workers: 1})
	cfg.Logger = hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Info})
	s := ready(t, cfg)
	h, err := s.Submit(t.Context(), task.Task{ID: "task-17", Name: "log", Payload: []byte("hello")})
	if err != nil {
		t.Fatal(err)
	}
	completed(t, wait(t, h))
	s.Close()
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "the probe says") {
			if !strings.Contains(line, "[WARN]") || !strings.Contains(line, "correlation_id=task-17") || !strings.Contains(line, "what=hello") {
				t.Errorf("got %q", line)
			}
			return
		}
	}
	t.Errorf("no such line in %q", log.String())
}
