package jetstream

import (
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

// A task whose holder died without a word has had one attempt, however often it is looked into before it is
// leased: it may have to wait for room under its concurrency key, or go back to its queue meanwhile.
func TestVanishedOnce(t *testing.T) {
	cfg := Config{URL: oneServer(t).url(), LeaseTime: time.Second}
	holder := opened(t, cfg)
	enqueue(t, holder, message("x"))
	lease(t, holder, 1)
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	b := openAt(t, cfg)
	for range 2 {
		c := gathered(t, b)
		for range 3 {
			if claims, err := c.pool.vet(t.Context(), []*claim{c}); err != nil || len(claims) != 1 {
				t.Fatalf("%d claims left, %v", len(claims), err)
			}
			if h := c.lease.History; h.Starts != 1 || len(h.Attempts) != 1 || c.lease.Delivery != 2 {
				t.Fatalf("leased once: delivery %d after %d starts, with %d records", c.lease.Delivery, h.Starts, len(h.Attempts))
			}
		}
		b.unread(t.Context(), []*claim{c}, func(*claim) time.Duration { return 0 })
	}
}

// The same with a state: what was given back unread is taken off the deliveries once.
func TestUnseenOnce(t *testing.T) {
	b := embedded(t)
	enqueue(t, b, message("x"))
	l := lease(t, b, 1)[0]
	l.History = broker.History{Starts: 1}
	if err := b.Nack(t.Context(), l, 0); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		c := gathered(t, b)
		for range 3 {
			if claims, err := c.pool.vet(t.Context(), []*claim{c}); err != nil || len(claims) != 1 {
				t.Fatalf("%d claims left, %v", len(claims), err)
			}
			if c.lease.Delivery != 2 || c.lease.History.Starts != 1 {
				t.Fatalf("leased once: delivery %d after %d starts", c.lease.Delivery, c.lease.History.Starts)
			}
		}
		b.unread(t.Context(), []*claim{c}, func(*claim) time.Duration { return 0 })
	}
}

// gathered is the next task, before anybody looked into its past.
func gathered(t *testing.T, b *Broker) *claim {
	t.Helper()
	p, err := b.pool(t.Context(), poolName)
	if err != nil {
		t.Fatal(err)
	}
	p.turn <- struct{}{}
	p.arrive()
	defer p.leave()
	claims, err := p.gather(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return claims[0]
}

// A task that waited here for room when its server could not be reached, until its lease lapsed, has not been leased.
func TestLapsedWhileItWaited(t *testing.T) {
	u, err := url.Parse(oneServer(t).url())
	if err != nil {
		t.Fatal(err)
	}
	var gate sync.RWMutex
	road := newProxy(t, u.Host, func(bool, []byte) fate {
		gate.RLock()
		defer gate.RUnlock()
		return pass
	})
	b := openAt(t, Config{URL: "nats://" + road.address(), LeaseTime: time.Second})
	messages := many("t", 2)
	for _, m := range messages {
		m.ConcurrencyKey, m.ConcurrencyLimit = "k", 1
	}
	enqueue(t, b, messages...)
	first := lease(t, b, 2)
	done := make(chan []*broker.Lease)
	go func() { done <- lease(t, b, 1) }()
	p := b.entry(poolName)
	await(t, "a task that waits for room", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.parked) == 1
	})
	gate.Lock()
	await(t, "an end of its lease", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.parked) == 0
	})
	await(t, "an end of the other lease", func() bool { return first[0].Token.(*claim).gone() })
	gate.Unlock()
	for seen := 0; seen < 2; seen++ {
		l := <-done
		starts := 0
		if l[0].Task.ID == first[0].Task.ID {
			starts = 1
		}
		if h := l[0].History; h.Starts != starts || l[0].Delivery != 1+starts {
			t.Errorf("%s: delivery %d after %d starts, want %d", l[0].Task.ID, l[0].Delivery, h.Starts, starts)
		}
		ack(t, b, l...)
		if seen == 0 {
			go func() { done <- lease(t, b, 1) }()
		}
	}
}
