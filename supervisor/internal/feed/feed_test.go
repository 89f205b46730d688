package feed

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/memory"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/dispatch"
	"github.com/brood-run/brood/supervisor/task"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a feed without goroutines, whose dispatcher has no workers.
func rig(t *testing.T, b broker.Broker) *Feed {
	t.Helper()
	d := dispatch.New(dispatch.Config{Pool: "p", Workers: 2, QueueSize: 10, ResultLimit: 10, Epoch: time.Now(),
		Settings: dispatch.Settings{Slots: 1, Window: 1, MaxAttempts: 3, MaxCrashes: 2}, Logger: hclog.NewNullLogger(), Events: &event.Hub{}})
	f := New(Config{
		Pool: "p", Broker: b, Tasks: d, Logger: hclog.NewNullLogger(),
		AtOnce: func() int { return 2 }, MaxAttempts: func() int { return 3 },
	})
	f.prefetch.Min, f.prefetch.Max = 2, maxHeld
	f.fast()
	t.Cleanup(func() {
		f.halt()
		f.quit()
		f.loops.Wait()
		d.Stop()
		d.Close()
	})
	return f
}

func lease(id string) *broker.Lease {
	return &broker.Lease{Message: broker.Message{Task: task.Task{ID: id}, Submitted: time.Now()}, Delivery: 1}
}

// ask does what comes before a Lease call.
func (f *Feed) ask() {
	f.count = 1 << 20 // it has been quick
	if _, n := f.wanted(); n == 0 {
		panic("feed: nothing is wanted")
	}
}

// fast makes the feed trust that tasks are short.
func (f *Feed) fast() {
	for range 10 {
		f.prefetch.Observe(1<<20, time.Second)
	}
}

func TestAQuarterIsWorthARoundTrip(t *testing.T) {
	f := rig(t, nil)
	for n, want := range map[int]int{0: maxHeld, 1: maxHeld - 1, maxHeld * 3 / 4: maxHeld / 4, maxHeld*3/4 + 1: 0, maxHeld: 0} {
		f.holding = map[string]*held{}
		for i := range n {
			f.holding[fmt.Sprint(i)] = nil
		}
		if got := f.missing(); got != want {
			t.Errorf("with %d held: %d, want %d", n, got, want)
		}
	}
}

// Payloads that have become large make the feed careful, but never stop it.
func TestLargePayloadsDoNotStopIt(t *testing.T) {
	f := rig(t, nil)
	for _, typical := range []int{1, 64 << 10, 1 << 20, maxHeldBytes, 1 << 40} {
		f.typical = typical
		if got := f.missing(); got < 1 || got*typical > max(maxHeldBytes, typical) {
			t.Errorf("payloads of %d bytes: %d tasks", typical, got)
		}
	}
}

// What the broker says about a lease does not concern the one that took its place.
func TestAnOldLeaseThatIsLostDoesNotLoseTheNewOne(t *testing.T) {
	f := rig(t, nil)
	f.ask()
	f.accept([]*broker.Lease{lease("a")})
	due := f.due(time.Now().Add(time.Hour), time.Minute)
	f.ask()
	f.accept([]*broker.Lease{lease("a")})
	if lost, _ := f.extended(due, []error{broker.ErrLost}, time.Now()); len(lost) != 0 || f.holding["a"].lost {
		t.Error("the task was given up")
	}
	if n := len(f.holding); n != 1 {
		t.Errorf("%d tasks are held", n)
	}
	due = f.due(time.Now().Add(time.Hour), time.Minute)
	if lost, _ := f.extended(due, []error{broker.ErrLost}, time.Now()); len(lost) != 1 {
		t.Error("a lease that is lost was not noticed")
	}
	// What is held all the same is told of again and again, and nobody hears of that.
	if due = f.due(time.Now().Add(time.Hour), time.Minute); len(due) != 1 {
		t.Error("the broker is not told any more who goes on")
	}
	if lost, _ := f.extended(due, []error{broker.ErrLost}, time.Now()); len(lost) != 0 {
		t.Error("it was lost twice")
	}
}

// A task that is cancelled while its lease is on its way here is not started.
func TestCancelledOnItsWay(t *testing.T) {
	b := memory.New(memory.Config{})
	defer b.Close()
	f := rig(t, b)
	f.ask()
	f.cancel("a")
	f.accept([]*broker.Lease{lease("a"), lease("b")})
	if h := f.holding["a"]; h.result.Status != task.Cancelled || !h.over {
		t.Errorf("it is %q", h.result.Status)
	}
	if h := f.holding["b"]; h.result.Status != "" {
		t.Errorf("another is %q", h.result.Status)
	}
	f.cancel("c")
	f.ask()
	f.accept([]*broker.Lease{lease("c")})
	if h := f.holding["c"]; h.result.Status != "" {
		t.Errorf("one that was cancelled before nothing was on its way is %q", h.result.Status)
	}
}

// A Nack gets a lease of its own to write into: the broker may read the one it gave.
func TestNackLeavesTheLeaseAlone(t *testing.T) {
	b := memory.New(memory.Config{})
	defer b.Close()
	if errs := b.Enqueue(context.Background(), []*broker.Message{{Task: task.Task{ID: "a", Name: "n"}, Pool: "p"}}); errs != nil {
		t.Fatal(errs[0])
	}
	leases, err := b.Lease(context.Background(), "p", 1)
	if err != nil {
		t.Fatal(err)
	}
	f := rig(t, b)
	f.ask()
	f.accept(leases)
	f.cfg.Tasks.Hold(true)
	f.holding["a"].result.Started = 7
	if kept := f.settleAll(f.ended); len(kept) != 0 || len(f.holding) != 0 {
		t.Fatalf("%d kept, %d held", len(kept), len(f.holding))
	}
	if leases[0].History.Starts != 0 {
		t.Error("the lease was written to")
	}
	if r, err := b.Get(context.Background(), "a"); err != nil || r.Message.History.Starts != 7 {
		t.Errorf("%+v, %v", r, err)
	}
}

// sick cannot say of one task that it starts.
type sick struct{ broker.Broker }

func (b sick) Begin(ctx context.Context, l *broker.Lease) error {
	if l.Task.ID == "a" {
		return errors.New("its state is damaged")
	}
	return b.Broker.Begin(ctx, l)
}

// A task that can never be started lets others through the gate, and goes on being one that nobody has started.
func TestATaskThatCannotBegin(t *testing.T) {
	b := memory.New(memory.Config{})
	defer b.Close()
	var messages []*broker.Message
	for _, id := range []string{"a", "b"} {
		messages = append(messages, &broker.Message{Task: task.Task{ID: id, Name: "n", Options: task.Options{AtMostOnce: true}}, Pool: "p"})
	}
	if errs := b.Enqueue(t.Context(), messages); errs != nil {
		t.Fatal(errs[0])
	}
	leases, err := b.Lease(t.Context(), "p", 2)
	if err != nil {
		t.Fatal(err)
	}
	f := rig(t, sick{b})
	f.cfg.AtOnce = func() int { return 1 }
	f.ask()
	f.accept(leases)
	f.loops.Wait()
	if a := f.holding["a"]; !a.over || a.answered || a.submitted {
		t.Errorf("a: %+v", a)
	}
	if b := f.holding["b"]; !b.submitted {
		t.Error("b waits for a")
	}
	if kept := f.settleAll(f.ended); len(kept) != 0 || f.holding["a"] != nil {
		t.Errorf("%d kept, a is held: %v", len(kept), f.holding["a"] != nil)
	}
	if r, err := b.Get(t.Context(), "a"); err != nil || r.Result != nil {
		t.Errorf("a has %+v, %v", r.Result, err)
	}
}
