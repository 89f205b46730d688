package jetstream

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
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
			b.gate.sweep(b.held.sweep())
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
	}
	b.waiters.doubtAll()
}

func (b *Broker) giveBackAll() {
	ctx, cancel := b.bound(context.Background())
	defer cancel()
	for _, p := range b.everyPool() {
		p.giveBackAhead(ctx)
	}
	_ = b.nc.FlushWithContext(ctx) // what does not arrive lapses
}

// trimEvery is how often it is looked whether there are too many results.
const trimEvery = 10 * time.Second

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
