package supervisor_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

// faulty is a Config with one pool of the plugin that misbehaves on request.
func faulty(p supervisor.PoolConfig) supervisor.Config {
	p.Plugin = plugin("faulty")
	if p.Workers == 0 {
		p.Workers = 2
	}
	if p.BackoffBase == 0 {
		p.BackoffBase = time.Millisecond
	}
	return supervisor.Config{Pools: []supervisor.PoolConfig{p}}
}

// probe is a Config with one pool of the plugin that says when its handlers are entered.
func probe(p supervisor.PoolConfig) supervisor.Config {
	cfg := faulty(p)
	cfg.Pools[0].Plugin = plugin("probe")
	return cfg
}

func create(t testing.TB, cfg supervisor.Config) *supervisor.Supervisor {
	t.Helper()
	s, err := supervisor.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		noChildren(t)
	})
	return s
}

// start starts a supervisor that leaves nothing behind when the test has ended.
func start(t testing.TB, cfg supervisor.Config) *supervisor.Supervisor {
	t.Helper()
	s := create(t, cfg)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	return s
}

// ready is start that waits for the first worker of each pool.
func ready(t testing.TB, cfg supervisor.Config) *supervisor.Supervisor {
	t.Helper()
	s := start(t, cfg)
	if err := s.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func work(name, payload string) task.Task { return task.Task{Name: name, Payload: []byte(payload)} }

func submit(t testing.TB, s *supervisor.Supervisor, name, payload string) *supervisor.Handle {
	t.Helper()
	h, err := s.Submit(t.Context(), work(name, payload))
	if err != nil {
		t.Fatalf("submit %s: %v", name, err)
	}
	return h
}

func wait(t testing.TB, h *supervisor.Handle) task.Result {
	t.Helper()
	r, err := h.Wait(t.Context())
	if err != nil {
		t.Fatalf("task %s: %v", h.ID(), err)
	}
	return r
}

func run(t testing.TB, s *supervisor.Supervisor, name, payload string) task.Result {
	t.Helper()
	return wait(t, submit(t, s, name, payload))
}

func completed(t testing.TB, r task.Result) task.Result {
	t.Helper()
	if r.Status != task.Completed {
		t.Fatalf("task %s (%s) is %s: %v", r.Task.ID, r.Task.Name, r.Status, r.Err)
	}
	return r
}

// pidOf decodes the answer of the tasks that name a process.
func pidOf(t testing.TB, r task.Result) int {
	t.Helper()
	var answer struct{ PID int }
	if err := json.Unmarshal(completed(t, r).Payload, &answer); err != nil || answer.PID == 0 {
		t.Fatalf("answer %q: %v", r.Payload, err)
	}
	return answer.PID
}

// await waits for the first event that it is looking for.
func await[E event.Event](t testing.TB, events *event.Subscription, is func(E) bool) E {
	t.Helper()
	for {
		select {
		case e, open := <-events.C():
			if !open {
				t.Fatal("no more events")
			}
			if e, ok := e.(E); ok && is(e) {
				return e
			}
		case <-t.Context().Done():
			t.Fatal("the test was given up")
		case <-time.After(20 * time.Second):
			t.Fatalf("no %s within 20 s", fmt.Sprintf("%T", *new(E)))
		}
	}
}

// entered waits until a task of the probe says that its handler runs.
func entered(t testing.TB, events *event.Subscription, h *supervisor.Handle) {
	t.Helper()
	await(t, events, func(e event.TaskProgress) bool { return e.Task == h.ID() })
}

func tasks(ts ...task.Task) func(func(task.Task, error) bool) {
	return func(yield func(task.Task, error) bool) {
		for _, t := range ts {
			if !yield(t, nil) {
				return
			}
		}
	}
}

// count yields n tasks whose ids are their numbers.
func count(n int, name string) func(func(task.Task, error) bool) {
	return func(yield func(task.Task, error) bool) {
		for i := range n {
			if !yield(task.Task{ID: fmt.Sprint(i), Name: name}, nil) {
				return
			}
		}
	}
}
