package memory

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

// Lease implements broker.Queue. Calls are served in the order they came.
func (b *Broker) Lease(ctx context.Context, name string, n int) ([]*broker.Lease, error) {
	b.mu.Lock()
	if err := b.usable(); err != nil {
		b.mu.Unlock()
		return nil, err
	}
	p := b.pool(name)
	if leases := b.take(p, max(n, 1), b.now()); len(leases) > 0 {
		b.mu.Unlock()
		return leases, nil
	}
	w := &waiter{n: max(n, 1), done: make(chan struct{})}
	p.waiters = append(p.waiters, w)
	b.mu.Unlock()
	select {
	case <-w.done:
		return w.leases, w.err
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(p.waiters, w); i >= 0 {
		p.waiters = slices.Delete(p.waiters, i, i+1)
		return nil, ctx.Err()
	}
	return w.leases, w.err // served in the same moment
}

// take leases up to n of a pool's items.
func (b *Broker) take(p *pool, n int, now time.Duration) []*broker.Lease {
	if p.paused {
		return nil
	}
	var leases []*broker.Lease
	for len(leases) < n {
		it, ok := p.queue.Pop()
		if !ok {
			break
		}
		if it.place != queued || !b.enter(it) {
			continue
		}
		if leases == nil {
			leases = make([]*broker.Lease, 0, min(n, p.queued))
		}
		leases = append(leases, b.give(it, now))
	}
	return leases
}

func (b *Broker) give(it *item, now time.Duration) *broker.Lease {
	it.pool.queued--
	it.pool.leased++
	it.place = leased
	it.delivery++
	it.begun = 0
	it.lapses = later(now, b.cfg.LeaseTime)
	it.listed = b.leases.PushBack(it)
	b.plan(it)
	b.wake(it.lapses)
	l := &broker.Lease{Message: it.msg, Delivery: it.delivery, Token: it}
	l.History.Attempts = slices.Clip(l.History.Attempts)
	return l
}

// holder returns the item of a lease that is still its holder's.
func (b *Broker) holder(l *broker.Lease) (*item, error) {
	if err := b.usable(); err != nil {
		return nil, err
	}
	it, ok := l.Token.(*item)
	if !ok || it.place != leased || it.delivery != l.Delivery {
		return nil, fmt.Errorf("task %s: %w", l.Task.ID, broker.ErrLost)
	}
	return it, nil
}

// Extend implements broker.Queue.
func (b *Broker) Extend(_ context.Context, leases []*broker.Lease) []error {
	b.mu.Lock()
	defer b.release()
	now := b.now()
	var errs batch
	for i, l := range leases {
		it, err := b.holder(l)
		if err != nil {
			errs.add(i, len(leases), err)
			continue
		}
		it.lapses = later(now, b.cfg.LeaseTime)
		b.leases.MoveToBack(it.listed)
	}
	return errs
}

// Begin implements broker.Queue.
func (b *Broker) Begin(_ context.Context, l *broker.Lease) error {
	b.mu.Lock()
	defer b.release()
	it, err := b.holder(l)
	if err == nil {
		it.begun = l.History.Starts + 1
	}
	return err
}

// lapse takes an item from a holder who has not been heard of in time.
func (b *Broker) lapse(it *item, now time.Duration) {
	starts := it.begun
	if it.delivery == 1 && starts == 0 && !it.msg.StartsOnce() {
		starts = it.msg.History.Starts + 1 // its holder need not have said so
	}
	for it.msg.History.Starts < starts {
		it.msg.History.Vanish()
	}
	b.giveBack(it, now, now)
}

// giveBack ends an item's lease; it waits until it is ready.
func (b *Broker) giveBack(it *item, ready, now time.Duration) {
	if it.cancelled {
		b.finish(it, it.cancellation(), now)
		return
	}
	b.endLease(it)
	it.ready = ready
	b.wait(it, now)
	b.leave(it, now)
	b.serve(it.pool, now)
}

// endLease takes an item off the books of leases.
func (b *Broker) endLease(it *item) {
	b.leases.Remove(it.listed)
	it.listed = nil
	it.pool.leased--
}
