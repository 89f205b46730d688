package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/memory"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

// unplugged is a broker that cannot be reached for a while.
type unplugged struct {
	*memory.Broker
	out    atomic.Bool
	deaf   atomic.Bool // results cannot be waited for either
	missed chan string // calls that failed; nobody waits for a reader
}

func (u *unplugged) gone(call string) error {
	if !u.out.Load() {
		return nil
	}
	select {
	case u.missed <- call:
	default:
	}
	return fmt.Errorf("%w: unplugged", broker.ErrUnavailable)
}

func every(n int, err error) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}

func (u *unplugged) Lease(ctx context.Context, pool string, n int) ([]*broker.Lease, error) {
	if err := u.gone("lease"); err != nil {
		return nil, err
	}
	leases, err := u.Broker.Lease(ctx, pool, n)
	if gone := u.gone("lease"); gone != nil { // the answer gets lost
		return nil, gone
	}
	return leases, err
}

func (u *unplugged) Extend(ctx context.Context, leases []*broker.Lease) []error {
	if err := u.gone("extend"); err != nil {
		return every(len(leases), err)
	}
	return u.Broker.Extend(ctx, leases)
}

func (u *unplugged) OnResult(ctx context.Context, id string, f func(task.Result)) (func(), error) {
	if u.deaf.Load() {
		return nil, fmt.Errorf("%w: unplugged", broker.ErrUnavailable)
	}
	return u.Broker.OnResult(ctx, id, f)
}

func (u *unplugged) Ack(ctx context.Context, answers []broker.Answer) []error {
	if err := u.gone("ack"); err != nil {
		return every(len(answers), err)
	}
	return u.Broker.Ack(ctx, answers)
}

func (u *unplugged) Nack(ctx context.Context, l *broker.Lease, delay time.Duration) error {
	if err := u.gone("nack"); err != nil {
		return err
	}
	return u.Broker.Nack(ctx, l, delay)
}

func (u *unplugged) await(t *testing.T, call string) {
	t.Helper()
	for {
		select {
		case c := <-u.missed:
			if c == call {
				return
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("nobody called %s", call)
		}
	}
}

// A result that cannot be stored is kept until it can, and its task is not run again.
func TestResultsWaitForTheBroker(t *testing.T) {
	u := &unplugged{Broker: keep(t, memory.Config{}), missed: make(chan string, 1)}
	s := ready(t, kept(faulty(supervisor.PoolConfig{}), u))
	events := s.Events(100)
	h := submit(t, s, "sleep", `{"ms":1}`)
	failing := submit(t, s, "retry", "")
	await(t, events, func(e event.TaskStarted) bool { return e.Task == h.ID() })
	u.out.Store(true)
	h2 := submit(t, s, "ok", "")
	u.await(t, "ack")
	u.out.Store(false)
	for _, h := range []*supervisor.Handle{h, h2} {
		if r := completed(t, wait(t, h)); r.Started != 1 {
			t.Errorf("%d starts, want one", r.Started)
		}
	}
	if r := completed(t, wait(t, failing)); r.Started != 2 || len(r.Attempts) != 1 {
		t.Errorf("%d starts, attempts %v", r.Started, r.Attempts)
	}
}

// A supervisor that cannot extend its leases goes on with what runs. Somebody else runs it too,
// and there is one result.
func TestWhoLosesTheBrokerGoesOnAndAcksOnce(t *testing.T) {
	b := keep(t, memory.Config{LeaseTime: 100 * time.Millisecond})
	u := &unplugged{Broker: b, missed: make(chan string, 1)}
	one := ready(t, kept(faulty(supervisor.PoolConfig{}), u))
	events := one.Events(1000)
	h := submit(t, one, "sleep", `{"ms":600}`)
	await(t, events, func(e event.TaskStarted) bool { return e.Task == h.ID() })
	u.out.Store(true)
	u.await(t, "extend")

	two := ready(t, kept(faulty(supervisor.PoolConfig{}), b))
	defer two.Close()
	defer one.Close()
	others := two.Events(1000)
	await(t, others, func(e event.TaskStarted) bool { return e.Task == h.ID() && e.Attempt == 2 })
	await(t, events, func(e event.TaskFinished) bool { return e.Task == h.ID() })
	u.await(t, "ack")
	u.out.Store(false)
	if r := completed(t, wait(t, h)); r.Started < 1 || r.Started > 2 {
		t.Errorf("%d starts", r.Started)
	}
	await(t, others, func(e event.TaskFinished) bool { return e.Task == h.ID() })
	if c, err := b.Counts(t.Context(), "faulty"); err != nil || c.Queued+c.Leased+c.Scheduled > 1 {
		t.Errorf("left: %+v, %v", c, err)
	}
}

// A task that was stored and whose result cannot be waited for gives its place back once.
func TestSubmitThatCannotWaitGivesItsPlaceBack(t *testing.T) {
	u := &unplugged{Broker: keep(t, memory.Config{}), missed: make(chan string, 1)}
	cfg := kept(faulty(supervisor.PoolConfig{}), u)
	cfg.ResultLimit = 1
	s := ready(t, cfg)
	u.deaf.Store(true)
	for range 3 {
		if _, err := s.TrySubmit(work("ok", "")); !errors.Is(err, broker.ErrUnavailable) {
			t.Fatalf("without a broker: %v", err)
		}
	}
	u.deaf.Store(false)
	h, err := s.TrySubmit(work("ok", ""))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.TrySubmit(work("ok", "")); !errors.Is(err, supervisor.ErrQueueFull) {
		t.Errorf("with a result that nobody has read: %v", err)
	}
	completed(t, wait(t, h))
}

// Who waits for a result when the supervisor stops hears that it will not come from here.
func TestStopEndsTheWaitForWhatTheBrokerKeeps(t *testing.T) {
	s := ready(t, kept(probe(supervisor.PoolConfig{Workers: 1}), keep(t, memory.Config{})))
	events := s.Events(100)
	h := submit(t, s, "hold", "")
	entered(t, events, h)
	s.Close()
	if _, err := h.Wait(context.Background()); !errors.Is(err, supervisor.ErrClosed) {
		t.Errorf("Wait: %v", err)
	}
	if _, err := s.Collect(t.Context()); !errors.Is(err, supervisor.ErrClosed) {
		t.Errorf("Collect: %v", err)
	}
	h.Discard()
	if results, err := s.Collect(t.Context()); err != nil || len(results) != 0 {
		t.Errorf("Collect of nothing: %v, %v", results, err)
	}
}

// Submit waits while the broker's queue is full, as it does without one.
func TestSubmitWaitsForRoomAtTheBroker(t *testing.T) {
	b := keep(t, memory.Config{QueueSize: 1})
	s := ready(t, kept(faulty(supervisor.PoolConfig{}), b))
	if err := b.Pause(t.Context(), "faulty", true); err != nil {
		t.Fatal(err)
	}
	first := submit(t, s, "ok", "")
	if _, err := s.TrySubmit(work("ok", "")); !errors.Is(err, supervisor.ErrQueueFull) {
		t.Errorf("TrySubmit: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Submit(ctx, work("ok", "")); err == nil {
		t.Error("Submit found room")
	}
	if err := b.Pause(t.Context(), "faulty", false); err != nil {
		t.Fatal(err)
	}
	completed(t, wait(t, submit(t, s, "ok", "")))
	completed(t, wait(t, first))
}

// halting is a broker that stores no result before a task has been leased twice.
type halting struct {
	*memory.Broker
	leases atomic.Int32
}

func (h *halting) Lease(ctx context.Context, pool string, n int) ([]*broker.Lease, error) {
	leases, err := h.Broker.Lease(ctx, pool, n)
	h.leases.Add(int32(len(leases)))
	return leases, err
}

func (h *halting) Extend(_ context.Context, leases []*broker.Lease) []error {
	return every(len(leases), broker.ErrUnavailable)
}

func (h *halting) Ack(ctx context.Context, answers []broker.Answer) []error {
	if h.leases.Load() < 2 {
		return every(len(answers), broker.ErrUnavailable)
	}
	return h.Broker.Ack(ctx, answers)
}

// A task whose result waits to be stored is not run again by who has the result.
func TestTaskThatIsOverIsNotRunAgainHere(t *testing.T) {
	b := &halting{Broker: keep(t, memory.Config{LeaseTime: 50 * time.Millisecond})}
	s := ready(t, kept(faulty(supervisor.PoolConfig{}), b))
	events := s.Events(1000)
	h := submit(t, s, "ok", "")
	if r := completed(t, wait(t, h)); r.Started != 1 {
		t.Errorf("%d starts", r.Started)
	}
	completed(t, run(t, s, "ok", "")) // whatever became of the second lease has become of it
	s.Close()
	starts := 0
	for e := range events.C() {
		if started, ok := e.(event.TaskStarted); ok && started.Task == h.ID() {
			starts++
		}
	}
	if starts != 1 {
		t.Errorf("its handler was started %d times", starts)
	}
}
