package jetstream

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/jetstream/storepb"
)

// idle is how long messages that were read ahead are kept when nobody leases.
const idle = time.Second

// keep does what has to be done from time to time, until the broker is closed.
func (b *Broker) keep() {
	beat := time.NewTicker(min(idle, b.cfg.LeaseTime/4))
	defer beat.Stop()
	trim := time.NewTicker(trimEvery)
	defer trim.Stop()
	for {
		select {
		case <-b.ctx.Done():
			return
		case <-b.reconnected:
			b.resumeAll()
		case <-beat.C:
			for _, p := range b.everyPool() {
				p.tend(b.ctx)
			}
		case <-trim.C:
			if err := b.trim(b.ctx); err != nil && b.ctx.Err() == nil {
				b.cfg.Logger.Warn("the oldest results are not dropped yet", "error", err)
			}
		}
	}
}

// resumeAll has everything looked at again that may have changed while there was no connection.
func (b *Broker) resumeAll() {
	for _, p := range b.everyPool() {
		p.stale()
		ctx, cancel := b.bound(b.ctx)
		if err := p.loadPause(ctx); err != nil {
			b.cfg.Logger.Warn("it is not known whether a pool is paused", "pool", p.name, "error", err)
		}
		cancel()
	}
	for _, id := range b.waiters.ids() {
		b.hearResult(id)
	}
}

// tend extends the leases of messages that were read ahead, or gives them back when nobody wants them.
func (p *pool) tend(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.waiting && time.Since(p.left) > idle || p.pausing {
		p.giveBackAhead(ctx)
		return
	}
	for _, q := range p.levels {
		for _, a := range q.buffer {
			at := time.Now()
			if err := p.b.nc.Publish(a.reply, ackProgress); err != nil {
				return
			}
			a.renew(at)
		}
	}
}

// giveBackAhead returns what was read ahead. A state tells that it was never handed out. Requires mu.
func (p *pool) giveBackAhead(ctx context.Context) {
	for _, q := range p.levels {
		for c := q.head(); c != nil; c = q.head() {
			q.pop()
			if err := p.b.unread(c); err != nil {
				return // they lapse
			}
		}
	}
}

// unread gives back a message that nobody has seen.
func (b *Broker) unread(c *claim) error {
	if c.lease.Delivery == 1 {
		data, err := encode(&storepb.State{History: toHistory(c.lease.History), Delivery: 1})
		if err != nil {
			return err
		}
		// The server takes both in this order, or neither.
		if err := b.nc.Publish(b.names.state(c.pool.name, c.lease.Task.ID), data); err != nil {
			return unavailable(err)
		}
	}
	return b.giveBack(c, 0)
}

func (b *Broker) giveBackAll() {
	ctx, cancel := b.bound(context.Background())
	defer cancel()
	for _, p := range b.everyPool() {
		p.mu.Lock()
		p.giveBackAhead(ctx)
		p.mu.Unlock()
	}
	_ = b.nc.FlushWithContext(ctx) // what does not arrive lapses
}

const (
	trimEvery = 10 * time.Second
)

// trim drops the oldest results beyond what may be kept. The stream itself would refuse the newest.
func (b *Broker) trim(ctx context.Context) error {
	ctx, cancel := b.bound(ctx)
	defer cancel()
	s, err := b.js.Stream(ctx, b.names.stream("r"))
	if err != nil {
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return b.ensure(ctx, b.streams()...)
		}
		return err
	}
	if s.CachedInfo().State.Msgs <= uint64(b.cfg.MaxResults) {
		return nil
	}
	return s.Purge(ctx, jetstream.WithPurgeKeep(uint64(b.cfg.MaxResults)))
}

// The parts below are not there yet.

func (e *enqueuing) claim(context.Context)                          {}
func (e *enqueuing) release(int)                                    {}
func (b *Broker) freeUnique(context.Context, *broker.Message)       {}
func (b *Broker) countDelayed(context.Context, string) (int, error) { return 0, nil }
func (b *Broker) findDelayed(context.Context, string) (*queued, error) {
	return nil, broker.ErrNotFound
}
