package supervisor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

func echo(p supervisor.PoolConfig) supervisor.Config {
	p.Plugin = plugin("echo")
	return supervisor.Config{Pools: []supervisor.PoolConfig{p}}
}

func TestPayloadsComeBackAsTheyWere(t *testing.T) {
	s := start(t, echo(supervisor.PoolConfig{Workers: 2}))
	rnd := rand.NewChaCha8([32]byte{1})
	var handles []*supervisor.Handle
	var payloads [][]byte
	for _, size := range []int{0, 1, 15, 16 << 10, 16<<10 + 1, 64 << 10, 64<<10 + 1, 1 << 20, 4 << 20} {
		for range 4 {
			payload := make([]byte, size)
			rnd.Read(payload)
			payloads = append(payloads, payload)
			h, err := s.Submit(t.Context(), task.Task{Payload: bytes.Clone(payload)})
			if err != nil {
				t.Fatal(err)
			}
			handles = append(handles, h)
		}
	}
	for i, h := range handles {
		if r := completed(t, wait(t, h)); !bytes.Equal(r.Payload, payloads[i]) {
			t.Errorf("payload of %d bytes came back as %d other ones", len(payloads[i]), len(r.Payload))
		}
	}
}

func TestResultHoldsItsTask(t *testing.T) {
	s := start(t, echo(supervisor.PoolConfig{Workers: 1}))
	tag := &struct{ n int }{7}
	in := task.Task{ID: "a1", Payload: []byte("p"), Options: task.Options{Priority: 3, Meta: map[string]string{"k": "v"}, Tag: tag}}
	h, err := s.Submit(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	r := completed(t, wait(t, h))
	if r.Task.ID != "a1" || r.Task.Name != "echo" || r.Task.Tag != tag || r.Task.Meta["k"] != "v" || r.Task.Priority != 3 {
		t.Errorf("task: %+v", r.Task)
	}
	if r.Started != 1 || len(r.Attempts) != 0 || r.Queued <= 0 {
		t.Errorf("result: %+v", r)
	}
	other := run(t, s, "", "q")
	if len(other.Task.ID) != 36 {
		t.Errorf("id by default: %q", other.Task.ID)
	}
}

func TestSubmitRefuses(t *testing.T) {
	cfg := echo(supervisor.PoolConfig{Workers: 1})
	cfg.MaxPayload = 10
	s := create(t, cfg)
	if _, err := s.TrySubmit(task.Task{}); err != supervisor.ErrNotStarted {
		t.Errorf("before Start: %v", err)
	}
	if err := s.WaitReady(t.Context()); err != supervisor.ErrNotStarted {
		t.Errorf("WaitReady before Start: %v", err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Submit(t.Context(), work("", "eleven byte")); !errors.Is(err, task.ErrInvalid) {
		t.Errorf("large payload: %v", err)
	}
	s.Close()
	if _, err := s.Submit(t.Context(), task.Task{}); err != supervisor.ErrClosed {
		t.Errorf("after Close: %v", err)
	}
	if err := s.WaitReady(t.Context()); err != supervisor.ErrClosed {
		t.Errorf("WaitReady after Close: %v", err)
	}
}

func TestUnknownTaskIsRejectedWithWhatThereIs(t *testing.T) {
	s := start(t, faulty(supervisor.PoolConfig{}))
	for name, want := range map[string]string{
		"okay": `the plugin has no task "okay"; it serves: badframe, exit,`,
		"":     "the task has no name and the plugin serves several: badframe, exit,",
	} {
		r := run(t, s, name, "")
		if r.Status != task.Rejected || r.Err.Kind != task.KindUnknownTask || !strings.HasPrefix(r.Err.Message, want) {
			t.Errorf("%q: %s, %v", name, r.Status, r.Err)
		}
	}
}

func TestTasksAreRoutedByName(t *testing.T) {
	s := ready(t, supervisor.Config{Pools: []supervisor.PoolConfig{
		{Plugin: plugin("echo"), Tasks: []string{"echo"}, Workers: 1},
		{Plugin: plugin("faulty"), Tasks: []string{"ok", "pid"}, Workers: 1},
	}})
	if got := completed(t, run(t, s, "echo", "hello")).Payload; string(got) != "hello" {
		t.Errorf("echo says %q", got)
	}
	pidOf(t, run(t, s, "pid", ""))
	if _, err := s.Submit(t.Context(), work("sleep", "")); !errors.Is(err, supervisor.ErrNoPool) {
		t.Errorf("a task that no pool serves: %v", err)
	}
}

func TestTrySubmitDoesNotWait(t *testing.T) {
	cfg := faulty(supervisor.PoolConfig{Workers: 1})
	cfg.QueueSize = 1
	s := start(t, cfg)
	var last error
	for n := 0; last == nil && n < 5; n++ {
		_, last = s.TrySubmit(work("sleep", `{"ms":60000}`))
	}
	if last != supervisor.ErrQueueFull {
		t.Errorf("got %v", last)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("no patience")
	cancel(why)
	if _, err := s.Submit(ctx, work("ok", "")); err != why {
		t.Errorf("Submit with an ended context: %v", err)
	}
}

func TestWaitGivesUpWithItsContext(t *testing.T) {
	s := start(t, faulty(supervisor.PoolConfig{}))
	h := submit(t, s, "sleep", `{"ms":60000}`)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("no patience")
	cancel(why)
	if _, err := h.Wait(ctx); err != why {
		t.Errorf("got %v", err)
	}
	h.Cancel()
	if r := wait(t, h); r.Status != task.Cancelled {
		t.Errorf("cancelled: %s, %v", r.Status, r.Err)
	}
	<-h.Done()
}

// A handler that does not obey is killed with its worker, after its grace.
func TestCancelledHandlerThatDoesNotReturnIsKilled(t *testing.T) {
	s := start(t, probe(supervisor.PoolConfig{CancelGrace: 20 * time.Millisecond}))
	events := s.Events(1000)
	h := submit(t, s, "cling", "")
	entered(t, events, h)
	h.Cancel()
	r := wait(t, h)
	if r.Status != task.Cancelled || len(r.Attempts) != 1 || r.Attempts[0].Outcome != task.OutcomeCancelled {
		t.Fatalf("got %+v", r)
	}
	if !strings.Contains(r.Attempts[0].Stack, "clingForever") {
		t.Errorf("stack: %q", r.Attempts[0].Stack)
	}
	completed(t, run(t, s, "log", ""))
}

func TestSlotsRunAtOnce(t *testing.T) {
	s := start(t, probe(supervisor.PoolConfig{Workers: 1, Slots: 8}))
	events := s.Events(1000)
	var handles []*supervisor.Handle
	for range 8 {
		handles = append(handles, submit(t, s, "hold", ""))
	}
	for range 8 {
		await(t, events, func(event.TaskProgress) bool { return true })
	}
	for _, h := range handles {
		h.Cancel()
		if r := wait(t, h); r.Status != task.Cancelled {
			t.Errorf("%s: %v", r.Status, r.Err)
		}
	}
}

func TestCollect(t *testing.T) {
	s := start(t, echo(supervisor.PoolConfig{Workers: 2}))
	for round := range 3 {
		for i := range 50 {
			h := submit(t, s, "", fmt.Sprintf("%d-%d", round, i))
			switch i {
			case 10:
				h.Discard()
			case 20:
				wait(t, h)
			}
		}
		results, err := s.Collect(t.Context())
		if err != nil || len(results) != 48 {
			t.Fatalf("%d results, %v", len(results), err)
		}
		for i, r := range results {
			n := i
			if n >= 10 {
				n++
			}
			if n >= 20 {
				n++
			}
			if want := fmt.Sprintf("%d-%d", round, n); string(r.Payload) != want || string(r.Task.Payload) != want {
				t.Errorf("result %d is %q", n, r.Payload)
			}
		}
	}
	if results, err := s.Collect(t.Context()); err != nil || len(results) != 0 {
		t.Errorf("nothing left: %d results, %v", len(results), err)
	}
	if s.Len() != 0 || s.Processed() != 150 {
		t.Errorf("%d live, %d processed", s.Len(), s.Processed())
	}
}

// Results that a Collect did not bring stay for the next.
func TestCollectGivesUpWithItsContext(t *testing.T) {
	s := start(t, faulty(supervisor.PoolConfig{}))
	submit(t, s, "ok", "")
	h := submit(t, s, "sleep", `{"ms":60000}`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Collect(ctx); err != context.Canceled {
		t.Errorf("got %v", err)
	}
	h.Cancel()
	if results, err := s.Collect(t.Context()); err != nil || len(results) != 2 {
		t.Errorf("%d results, %v", len(results), err)
	}
}
