package jetstream

import (
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
