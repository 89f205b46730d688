package jetstream

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// remote is a broker on a server of its own.
func remote(t *testing.T) (*Broker, *node) {
	n := oneServer(t)
	return openAt(t, Config{URL: n.url(), LeaseTime: 2 * time.Second}), n
}

// loseConsumer deletes a consumer behind a broker's back.
func loseConsumer(t *testing.T, b *Broker, stream, consumer string) {
	t.Helper()
	if err := b.js.DeleteConsumer(t.Context(), stream, consumer); err != nil {
		t.Fatal(err)
	}
}

// leasing leases in the background, and returns what comes.
func leasing(t *testing.T, b *Broker, n int) <-chan *broker.Lease {
	came := make(chan *broker.Lease, n)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range n {
			leases, err := b.Lease(ctx, poolName, 1)
			if err != nil {
				return
			}
			came <- leases[0]
		}
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return came
}

// awaitReader waits until the server knows of somebody who waits for messages of a consumer: what is asked of one that goes
// away at that moment has no answer, and is asked again when the server has not been heard of for a while.
func awaitReader(t *testing.T, b *Broker, stream, consumer string) {
	t.Helper()
	await(t, "somebody who reads "+consumer, func() bool {
		c, err := b.js.Consumer(t.Context(), stream, consumer)
		return err == nil && c.CachedInfo().NumWaiting > 0
	})
}

// next takes the next lease that comes.
func next(t *testing.T, came <-chan *broker.Lease) *broker.Lease {
	t.Helper()
	select {
	case l := <-came:
		return l
	case <-time.After(patience):
		t.Fatal("nothing is leased any more")
	}
	return nil
}

func withPriority(id string, priority int) *broker.Message {
	m := message(id)
	m.Task.Priority = priority
	return m
}

func TestConsumerIsDeletedUnderLease(t *testing.T) {
	b, _ := remote(t)
	enqueue(t, b, message("a"), withPriority("b", 5))
	ack(t, b, leaseN(t, b, 2)...)
	came := leasing(t, b, 2)
	awaitReader(t, b, b.names.queueStream(poolName), levelToken(0))
	loseConsumer(t, b, b.names.queueStream(poolName), levelToken(0))
	enqueue(t, b, message("c"))
	if l := next(t, came); l.Task.ID != "c" || l.History.Starts != 0 {
		t.Errorf("leased %s after %d starts", l.Task.ID, l.History.Starts)
	}
	enqueue(t, b, withPriority("d", 5))
	if l := next(t, came); l.Task.ID != "d" {
		t.Errorf("leased %s", l.Task.ID)
	}
}

// A level that nobody hands out tasks of keeps the others from nothing.
func TestLevelIsDenied(t *testing.T) {
	b, _ := remote(t)
	enqueue(t, b, message("a"), withPriority("b", 5))
	ack(t, b, leaseN(t, b, 2)...)
	p := b.entry(poolName)
	p.mu.Lock()
	p.levels[0].next += ".nobody" // answers
	p.mu.Unlock()
	came := leasing(t, b, 20)
	for i, m := range many("t", 20) {
		m.Task.Priority = 5
		before := time.Now()
		enqueue(t, b, m)
		next(t, came)
		if took := time.Since(before); i > 0 && took > leasePause {
			t.Errorf("task %d took %v", i, took)
		}
	}
}

func TestStoreComesBackEmpty(t *testing.T) {
	b, n := remote(t)
	enqueue(t, b, message("a"), withPriority("b", 5))
	old := leaseN(t, b, 2)
	if _, err := b.pool(t.Context(), "nobody leases from"); err != nil {
		t.Fatal(err)
	}
	came := leasing(t, b, 4)
	awaitReader(t, b, b.names.queueStream(poolName), levelToken(5))
	n.stop()
	n.options.StoreDir = t.TempDir()
	n.start(t)
	accepted := func(m *broker.Message) {
		t.Helper()
		await(t, "a server that takes "+m.Task.ID, func() bool {
			errs := b.Enqueue(t.Context(), []*broker.Message{m})
			return errs == nil || errors.Is(errs[0], broker.ErrDuplicate)
		})
	}
	accepted(message("c"))
	c := next(t, came)
	ack(t, b, c)
	accepted(withPriority("d", 5))
	d := next(t, came)
	// What was leased from the store that is gone has nothing to do with what has its place now.
	for _, l := range old {
		ack(t, b, l)
	}
	if err := b.Nack(t.Context(), d, 0); err != nil {
		t.Fatal(err)
	}
	d = next(t, came)
	if d.Task.ID != "d" {
		t.Fatalf("leased %s", d.Task.ID)
	}
	died := completed(d)
	died.Result.Status = task.Dead
	if errs := b.Ack(t.Context(), []broker.Answer{died}); errs != nil {
		t.Fatal(errs)
	}
	if _, err := b.DeadLetter(t.Context(), "d"); err != nil {
		t.Errorf("its letter: %v", err)
	}
	later := message("e")
	later.NotBefore = time.Now().Add(100 * time.Millisecond)
	accepted(later)
	e := next(t, came)
	ack(t, b, e)
	if r, err := b.Get(t.Context(), "e"); err != nil || r.State != task.StateCompleted {
		t.Errorf("it is %v: %v", r.State, err)
	}
}

// What is queued under levels that have no consumer any more is served by a broker that never saw them.
func TestConsumersAreGoneBeforeOpen(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) func() *Broker{
		"remote": func(t *testing.T) func() *Broker {
			cfg := Config{URL: oneServer(t).url()}
			return func() *Broker { return opened(t, cfg) }
		},
		"embedded": func(t *testing.T) func() *Broker {
			cfg := Config{Dir: t.TempDir()}
			return func() *Broker { return opened(t, cfg) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			open := start(t)
			b := open()
			enqueue(t, b, withPriority("a", 5), message("b"), withPriority("c", -700))
			for _, l := range []int{0, -700} {
				loseConsumer(t, b, b.names.queueStream(poolName), levelToken(l))
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			b = open()
			defer func() { _ = b.Close() }()
			leases := leaseN(t, b, 3)
			ack(t, b, leases...)
			nothing(t, b)
		})
	}
}

func TestDueConsumerIsDeleted(t *testing.T) {
	b, _ := remote(t)
	awaitReader(t, b, b.names.stream("t"), timesConsumer)
	loseConsumer(t, b, b.names.stream("t"), timesConsumer)
	m := message("later")
	m.NotBefore = time.Now().Add(100 * time.Millisecond)
	enqueue(t, b, m)
	ack(t, b, lease(t, b, 1)...)
}

func TestTimesAreDeleted(t *testing.T) {
	b, _ := remote(t)
	awaitReader(t, b, b.names.stream("t"), timesConsumer)
	if err := b.js.DeleteStream(t.Context(), b.names.stream("t")); err != nil {
		t.Fatal(err)
	}
	await(t, "a consumer", func() bool {
		_, err := b.js.Consumer(t.Context(), b.names.stream("t"), timesConsumer)
		if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			t.Fatal(err)
		}
		return err == nil
	})
	m := message("later")
	m.NotBefore = time.Now().Add(100 * time.Millisecond)
	enqueue(t, b, m)
	ack(t, b, lease(t, b, 1)...)
}
