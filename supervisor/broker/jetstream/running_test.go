package jetstream

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

// once is a task that may be started once only.
func once(id string) *broker.Message {
	m := message(id)
	m.Task.AtMostOnce = true
	return m
}

// begin leases a task and starts it.
func begin(t *testing.T, b *Broker) *broker.Lease {
	t.Helper()
	l := lease(t, b, 1)[0]
	if err := b.Begin(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	return l
}

// goOn has a holder say again and again that it goes on with a task, until stop is called.
func goOn(b *Broker, l *broker.Lease) (stop func()) {
	extend := func() { _ = b.Extend(context.Background(), []*broker.Lease{l}) } // which tells that it is lost
	extend()
	quit, done := make(chan struct{}), make(chan struct{})
	beat := time.NewTicker(b.LeaseTime() / 4)
	go func() {
		defer close(done)
		defer beat.Stop()
		for {
			select {
			case <-beat.C:
				extend()
			case <-quit:
				return
			}
		}
	}()
	return func() { close(quit); <-done }
}

func lapse(t *testing.T, l *broker.Lease) {
	t.Helper()
	await(t, "an end of the lease", func() bool { return l.Token.(*claim).lapsed() })
}

// Who goes on with a task although its lease has lapsed is left to it, and taken for gone when nothing is heard any more.
func TestWhoGoesOnIsLeftToIt(t *testing.T) {
	a, b := pair(t)
	enqueue(t, a, once("x"), once("y"))
	x, y := begin(t, a), begin(t, a)
	lapse(t, x)
	lapse(t, y)
	stop := goOn(a, x)
	if l := lease(t, b, 1)[0]; l.Task.ID != "y" || l.History.Starts != 1 {
		t.Errorf("leased %s after %d starts, want y after 1", l.Task.ID, l.History.Starts)
	}
	nothing(t, b)
	ack(t, a, x)
	stop()
	nothing(t, b)
	if r, err := b.Get(t.Context(), "x"); err != nil || r.Result == nil || r.Result.Started != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// A server that was away for longer than a lease gives those who come back to it the time to say what they hold.
func TestServerThatWasAwayForLongerThanALease(t *testing.T) {
	n := oneServer(t)
	cfg := Config{URL: n.url(), LeaseTime: time.Second}
	a, b := openAt(t, cfg), openAt(t, cfg)
	enqueue(t, a, once("x"))
	x := begin(t, a)
	stop := goOn(a, x)
	n.stop()
	lapse(t, x)
	n.start(t)
	enqueueSoon(t, b, message("last"))
	if l := lease(t, b, 1)[0]; l.Task.ID != "last" {
		t.Errorf("leased %s after %d starts", l.Task.ID, l.History.Starts)
	}
	await(t, "an answer", func() bool {
		errs := a.Ack(t.Context(), []broker.Answer{completed(x)})
		return errs == nil || !errors.Is(errs[0], broker.ErrUnavailable)
	})
	stop()
	if r, err := b.Get(t.Context(), "x"); err != nil || r.Result == nil || string(r.Result.Payload) != "result of x" {
		t.Errorf("%+v, %v", r, err)
	}
}

// enqueueSoon stores a message as soon as the server is back.
func enqueueSoon(t *testing.T, b *Broker, m *broker.Message) {
	t.Helper()
	await(t, "a server", func() bool { return b.Enqueue(t.Context(), []*broker.Message{m}) == nil })
}

// An attempt of which it was said that it begins, and that did not as the answer came too late, does not count.
func TestWhatCouldNotBeginHasNotBegun(t *testing.T) {
	var armed atomic.Bool
	server := oneServer(t).url()
	road := newProxy(t, strings.TrimPrefix(server, "nats://"), func(up bool, data []byte) fate {
		if up && bytes.Contains(data, []byte("PUB brood.s.p.x ")) && armed.CompareAndSwap(true, false) {
			return last
		}
		return pass
	})
	a := openAt(t, Config{URL: "nats://" + road.address(), LeaseTime: time.Second})
	b := openAt(t, Config{URL: server, LeaseTime: time.Second})
	enqueue(t, a, once("x"))
	x := lease(t, a, 1)[0]
	armed.Store(true)
	if err := a.Begin(t.Context(), x); !errors.Is(err, broker.ErrUnavailable) {
		t.Fatalf("begins without an answer: %v", err)
	}
	lapse(t, x)
	stop := goOn(a, x)
	nothing(t, b)
	await(t, "a lease that is lost", func() bool { return errors.Is(a.Begin(t.Context(), x), broker.ErrLost) })
	stop()
	if l := lease(t, b, 1)[0]; l.History.Starts != 0 {
		t.Errorf("leased again after %d starts, %v", l.History.Starts, l.History.Attempts)
	}
}

// A task whose delivery was forgotten while it runs is not started beside that, and goes on elsewhere when its holder is gone.
func TestForgottenTaskThatRuns(t *testing.T) {
	onShared(t, func(t *testing.T, a, b *Broker) {
		enqueue(t, a, message("x"), message("y"))
		x := lease(t, a, 1)[0]
		forgetDeliveries(t, a, x)
		reconnect(t, b)
		if l := lease(t, b, 1)[0]; l.Task.ID != "y" {
			t.Errorf("leased %s as delivery %d", l.Task.ID, l.Delivery)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if l := lease(t, b, 1)[0]; l.Task.ID != "x" || l.History.Starts != 1 {
			t.Errorf("leased %s after %d starts, want x after 1", l.Task.ID, l.History.Starts)
		}
	})
}

func reconnect(t *testing.T, b *Broker) {
	t.Helper()
	before := b.nc.Stats().Reconnects
	if err := b.nc.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	await(t, "another connection", func() bool { return b.nc.Stats().Reconnects > before && b.Health() == nil })
}

// Who asks waits for those who are known to be there, and not again for one who was silent.
func TestOthersAreKnown(t *testing.T) {
	a, b := pair(t)
	ask := func() int {
		t.Helper()
		if _, err := b.others.running(t.Context(), []string{"x"}); err != nil {
			t.Fatal(err)
		}
		b.others.mu.Lock()
		defer b.others.mu.Unlock()
		if !b.others.whole {
			t.Error("it does not know that it knows all")
		}
		return len(b.others.known)
	}
	if n := ask(); n != 1 {
		t.Errorf("%d others are known, want 1", n)
	}
	third := openAt(t, a.cfg)
	await(t, "a newcomer who is known", func() bool { return ask() == 2 })
	for _, gone := range []*Broker{a, third} {
		if err := gone.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := ask(); n != 0 {
		t.Errorf("%d others are known after they have gone", n)
	}
}

// One who was interrupted as it said that an attempt begins does not keep the task for ever.
func TestBeginThatWasInterrupted(t *testing.T) {
	a, b := pair(t)
	enqueue(t, a, once("x"))
	x := begin(t, a)
	x.Token.(*claim).beginning.Store(true) // as if the answer had not come
	if l := lease(t, b, 1)[0]; l.Task.ID != "x" {
		t.Errorf("leased %s", l.Task.ID)
	}
}

// What runs has been started in time, whatever has become of its lease.
func TestWhatRunsDoesNotExpire(t *testing.T) {
	a, b := pair(t)
	m := message("x")
	m.Expires = time.Now().Add(1500 * time.Millisecond)
	enqueue(t, a, m)
	x := lease(t, a, 1)[0]
	lapse(t, x)
	stop := goOn(a, x)
	await(t, "its time to expire", x.Token.(*claim).expired)
	for range 10 { // the time at which it is ended otherwise
		nothing(t, b)
	}
	if r, err := b.Get(t.Context(), "x"); err != nil || r.Result != nil {
		t.Errorf("it has %+v, %v", r.Result, err)
	}
	ack(t, a, x)
	stop()
}
