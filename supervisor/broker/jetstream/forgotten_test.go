package jetstream

import (
	"errors"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

// A server that goes away takes along what it delivered last, and whoever goes on in its place delivers that once more,
// as if for the first time.

// forgetDeliveries has a server forget what it delivered of the level that a task is in.
func forgetDeliveries(t *testing.T, b *Broker, l *broker.Lease) {
	t.Helper()
	c := l.Token.(*claim)
	if err := b.js.DeleteConsumer(t.Context(), c.pool.stream, levelToken(c.level)); err != nil {
		t.Fatal(err)
	}
	await(t, "a new consumer", func() bool { // the server may still be deleting the old one's files
		_, err := b.js.CreateConsumer(t.Context(), c.pool.stream, b.levelConsumer(token(c.pool.name), levelToken(c.level)))
		return err == nil
	})
}

// end stores a task's result, and no more than that.
func end(t *testing.T, b *Broker, l *broker.Lease) {
	t.Helper()
	data, err := b.encodeResult(&l.Message, completed(l).Result)
	if err != nil {
		t.Fatal(err)
	}
	if errs := b.publish(t.Context(), []outgoing{{subject: b.names.result(l.Task.ID), data: data}}); errs != nil {
		t.Fatal(errs[0])
	}
}

// onShared runs a test on a server and on a cluster.
func onShared(t *testing.T, test func(t *testing.T, a, b *Broker)) {
	for where, start := range map[string]func(t *testing.T) string{
		"server":  func(t *testing.T) string { return oneServer(t).url() },
		"cluster": func(t *testing.T) string { return urls(cluster(t)) },
	} {
		t.Run(where, func(t *testing.T) {
			cfg := Config{URL: start(t), LeaseTime: 2 * time.Second}
			test(t, openAt(t, cfg), openAt(t, cfg))
		})
	}
}

func TestWhatHasEndedIsNotLeasedAgain(t *testing.T) {
	onShared(t, func(t *testing.T, a, b *Broker) {
		enqueue(t, a, message("x"))
		first := lease(t, a, 1)[0]
		end(t, a, first)
		forgetDeliveries(t, a, first)
		enqueue(t, a, message("y"))
		if l := lease(t, b, 1)[0]; l.Task.ID != "y" {
			t.Errorf("%s, which has its result, is leased as delivery %d", l.Task.ID, l.Delivery)
		}
	})
}

func TestWhatWasTriedIsNotNew(t *testing.T) {
	onShared(t, func(t *testing.T, a, b *Broker) {
		enqueue(t, a, message("x"))
		first := lease(t, a, 1)[0]
		first.History.Starts = 1
		if err := a.Nack(t.Context(), first, 0); err != nil {
			t.Fatal(err)
		}
		forgetDeliveries(t, a, first)
		if l := lease(t, b, 1)[0]; l.Delivery != 2 || l.History.Starts != 1 {
			t.Errorf("leased as delivery %d after %d starts, want 2 after 1", l.Delivery, l.History.Starts)
		}
	})
}

// Whoever began a task goes on with it, and another takes its place only when its lease would have lapsed.
func TestWhatOthersRunIsLeftToThem(t *testing.T) {
	onShared(t, func(t *testing.T, a, b *Broker) {
		var leases []*broker.Lease
		for _, id := range []string{"x", "y"} {
			m := message(id)
			m.Task.AtMostOnce = true
			enqueue(t, a, m)
			leases = append(leases, lease(t, a, 1)...)
			if err := a.Begin(t.Context(), leases[len(leases)-1]); err != nil {
				t.Fatal(err)
			}
		}
		forgetDeliveries(t, a, leases[0])
		nothing(t, b)
		ack(t, a, leases[0])
		if l := lease(t, b, 1)[0]; l.Task.ID != "y" || l.Delivery != 2 || l.History.Starts != 1 {
			t.Errorf("leased %s as delivery %d after %d starts, want y, 2 after 1", l.Task.ID, l.Delivery, l.History.Starts)
		}
	})
}

// Its holder may end a task after it was leased again, and before it starts again.
func TestWhatHasEndedDoesNotBegin(t *testing.T) {
	a, b := pair(t)
	m := message("x")
	m.Task.AtMostOnce = true
	enqueue(t, a, m)
	first := lease(t, a, 1)[0]
	forgetDeliveries(t, b, first)
	a.held.drop(first.Token.(*claim)) // as if nobody could ask it
	second := lease(t, b, 1)[0]
	if second.Delivery != 1 {
		t.Fatalf("delivery %d: the server remembers", second.Delivery)
	}
	end(t, a, first)
	if err := b.Begin(t.Context(), second); !errors.Is(err, broker.ErrLost) {
		t.Errorf("it begins again: %v", err)
	}
	nothing(t, b)
}

// What was given back for a while, and is let go of once more because its time has not come, has been leased before all
// the same: who leases it next says that it starts.
func TestTaskThatWaitsForItsNextAttemptHasBeenLeased(t *testing.T) {
	dir := t.TempDir()
	b := openAt(t, Config{Dir: dir})
	enqueue(t, b, message("x"))
	first := lease(t, b, 1)[0]
	first.History.Starts = 1
	if err := b.Nack(t.Context(), first, 500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	forgetDeliveries(t, b, first)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = openAt(t, Config{Dir: dir})
	second := lease(t, b, 1)[0]
	if second.Delivery != 2 || second.History.Starts != 1 {
		t.Errorf("leased as delivery %d after %d starts, want 2 after 1", second.Delivery, second.History.Starts)
	}
}
