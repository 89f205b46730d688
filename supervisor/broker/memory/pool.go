package memory

import (
	"context"
	"slices"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

// pool is one queue by name. It exists from its first use on.
type pool struct {
	queue   Queue[*item]
	queued  int // items that are queued or blocked
	delayed int
	leased  int
	dead    int // letters
	paused  bool
	waiters []*waiter // calls of Lease, the longest waiting first
}

// waiter is a call of Lease that has to wait. done is closed once it has leases or an error.
type waiter struct {
	n      int
	leases []*broker.Lease
	err    error
	done   chan struct{}
}

func (b *Broker) pool(name string) *pool {
	p := b.pools[name]
	if p == nil {
		p = &pool{}
		b.pools[name] = p
	}
	return p
}

// held is how many tasks without a result the pool has.
func (p *pool) held() int { return p.queued + p.delayed + p.leased }

// dismiss ends all waiting calls because the broker was closed.
func (p *pool) dismiss() {
	for _, w := range p.waiters {
		w.err = broker.ErrClosed
		close(w.done)
	}
	p.waiters = nil
}

// serve gives what can be leased to those who wait.
func (b *Broker) serve(p *pool, now time.Duration) {
	for len(p.waiters) > 0 {
		w := p.waiters[0]
		if w.leases = b.take(p, w.n, now); len(w.leases) == 0 {
			return
		}
		close(w.done)
		p.waiters = slices.Delete(p.waiters, 0, 1)
	}
}

// Pause implements broker.Pools.
func (b *Broker) Pause(_ context.Context, name string, paused bool) error {
	b.mu.Lock()
	defer b.release()
	if err := b.usable(); err != nil {
		return err
	}
	p := b.pool(name)
	p.paused = paused
	b.serve(p, b.now())
	return nil
}

// Counts implements broker.Pools. Tasks that wait for others with their concurrency key
// count as queued.
func (b *Broker) Counts(_ context.Context, name string) (broker.Counts, error) {
	b.mu.Lock()
	defer b.release()
	if err := b.usable(); err != nil {
		return broker.Counts{}, err
	}
	p := b.pools[name]
	if p == nil {
		return broker.Counts{}, nil
	}
	return broker.Counts{
		Queued: p.queued, Scheduled: p.delayed, Leased: p.leased, Dead: p.dead,
		Oldest: b.oldest(p), Paused: p.paused,
	}, nil
}

// oldest is how long ago the first of the tasks that wait was submitted. Within a rank they are
// in that order.
func (b *Broker) oldest(p *pool) time.Duration {
	var oldest time.Duration
	look := func(it *item) { oldest = max(oldest, time.Since(it.msg.Submitted)) }
	p.queue.heads(isQueued, look)
	for _, g := range b.gates {
		for _, l := range g.lots {
			if l.pool == p {
				l.queue.heads(isBlocked, look)
			}
		}
	}
	return oldest
}

func isQueued(it *item) bool  { return it.place == queued }
func isBlocked(it *item) bool { return it.place == blocked }
