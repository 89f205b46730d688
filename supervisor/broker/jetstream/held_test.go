package jetstream

import (
	"errors"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// pair is two brokers that share a server.
func pair(t testing.TB) (a, b *Broker) {
	cfg := Config{URL: oneServer(t).url(), LeaseTime: time.Second}
	return openAt(t, cfg), openAt(t, cfg)
}

// stopped has a broker think that no time has passed since a lease was given, as if it had been stopped meanwhile.
func stopped(l *broker.Lease) { l.Token.(*claim).renew(time.Now().Add(time.Hour)) }

func TestOfTwoHoldersOneBegins(t *testing.T) {
	a, b := pair(t)
	m := message("x")
	m.Task.AtMostOnce = true
	enqueue(t, a, m)
	old := lease(t, a, 1)[0]
	stopped(old)
	now := lease(t, b, 1)[0]
	for range 2 { // it can be repeated
		if err := b.Begin(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Begin(t.Context(), old); !errors.Is(err, broker.ErrLost) {
		t.Errorf("both have begun: %v", err)
	}
	if err := a.Nack(t.Context(), old, 0); !errors.Is(err, broker.ErrLost) {
		t.Errorf("the other one's attempt was given back: %v", err)
	}
}

func TestTaskThatTheServerKeptIsNotQueuedAgain(t *testing.T) {
	a, _ := pair(t)
	enqueue(t, a, message("x"))
	l := lease(t, a, 1)[0]
	ack(t, a, l)
	if _, err := a.nc.Request(l.Token.(*claim).reply, nil, patience); err != nil { // the one before is done then
		t.Fatal(err)
	}
	late := message("x")
	late.Fresh = true // nobody looks for it
	if errs := a.Enqueue(t.Context(), []*broker.Message{late}); errs == nil || !errors.Is(errs[0], broker.ErrDuplicate) {
		t.Errorf("queued again: %v", errs)
	}
	nothing(t, a)
}

func TestResultThatWasThoughtLostGetsItsLetter(t *testing.T) {
	b := embedded(t)
	enqueue(t, b, message("x"))
	l := lease(t, b, 1)[0]
	died := broker.Answer{Lease: l, Result: &task.Result{Task: l.Task, Status: task.Dead, Started: 1}}
	told := make(chan task.Result, 1)
	if _, err := b.OnResult(t.Context(), "x", func(r task.Result) { told <- r }); err != nil {
		t.Fatal(err)
	}
	// A first try gets no further than its result.
	data, err := b.encodeResult(&l.Message, died.Result)
	if err != nil {
		t.Fatal(err)
	}
	if errs := b.publish(t.Context(), []outgoing{{subject: b.names.result("x"), data: data}}); errs != nil {
		t.Fatal(errs[0])
	}
	if errs := b.Ack(t.Context(), []broker.Answer{died}); errs == nil || !errors.Is(errs[0], broker.ErrFinished) {
		t.Errorf("acked again: %v", errs)
	}
	if _, err := b.DeadLetter(t.Context(), "x"); err != nil {
		t.Errorf("the dead letter: %v", err)
	}
	select {
	case <-told:
	default:
		t.Error("who waits for the result has not been told")
	}
}

func TestExtendNeedsAnAnswer(t *testing.T) {
	a, _ := pair(t)
	enqueue(t, a, message("x"))
	l := lease(t, a, 1)[0]
	if errs := a.Extend(t.Context(), []*broker.Lease{l}); errs != nil {
		t.Fatal(errs[0])
	}
	before := *l.Token.(*claim).renewed.Load()
	// The consumer goes away, the connection stays.
	if err := a.js.DeleteConsumer(t.Context(), a.names.queueStream(poolName), levelToken(0)); err != nil {
		t.Fatal(err)
	}
	if errs := a.Extend(t.Context(), []*broker.Lease{l}); errs == nil || !errors.Is(errs[0], broker.ErrUnavailable) {
		t.Errorf("extended by nobody: %v", errs)
	}
	if after := *l.Token.(*claim).renewed.Load(); !after.Equal(before) {
		t.Error("it counts as renewed")
	}
}

func TestDelayedTaskHasOnePlaceInItsQueue(t *testing.T) {
	now := time.Now()
	m := message("x")
	m.Submitted, m.NotBefore = now.Add(-time.Hour), now.Add(-time.Minute)
	if first, second := rank(m, now), rank(m, now.Add(time.Hour)); first != second {
		t.Errorf("brought to level %d, and when that is thought lost to level %d", first, second)
	}
}

// What is stored between leases is dropped after stateTTL. Nobody knows then whether a task was started.
func TestOldTaskIsNotStartedTwice(t *testing.T) {
	b := openAt(t, Config{Dir: t.TempDir(), LeaseTime: time.Second})
	for submitted, want := range map[time.Time]int{time.Now(): 0, time.Now().Add(-stateTTL): 1} {
		m := message(submitted.Format("2006-01-02"))
		m.Task.AtMostOnce, m.Submitted = true, submitted
		enqueue(t, b, m)
		lease(t, b, 1)
		again := lease(t, b, 1)[0]
		if again.Delivery != 2 || again.History.Starts != want {
			t.Errorf("submitted %v: delivery %d after %d starts, want %d", submitted, again.Delivery, again.History.Starts, want)
		}
		ack(t, b, again)
	}
}
