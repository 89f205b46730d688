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
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-b.ctx.Done():
			return
		case <-b.reconnected:
			b.resumeAll()
			b.look(b.ctx)
		case <-beat.C:
			b.gate.sweep(b.held.sweep())
			for _, p := range b.everyPool() {
				p.tend(b.ctx)
			}
		case <-look.C:
			b.look(b.ctx)
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

// lookEvery is how often it is looked whether there are too many results and whether the server can write: one that is not
// ours may go on to talk to us when it can do nothing any more, as it has no room, or too few others to agree with.
const lookEvery = 5 * time.Second

func (b *Broker) look(ctx context.Context) {
	err := b.trim(ctx)
	if err == nil && b.engine == nil { // ours says by itself how it is
		_ = b.others.announce() // they hear of it the next time
		err = errors.Join(b.publish(ctx, []outgoing{{subject: b.names.subject("p", "look")}})...)
	}
	if ctx.Err() != nil {
		return
	}
	b.mu.Lock()
	told := b.unable != nil
	b.unable = err
	b.mu.Unlock()
	if err != nil && !told {
		b.cfg.Logger.Warn("the broker does not do as it should", "server", b.where(), "error", err)
	}
}

// trim drops the oldest results beyond what may be kept. The stream itself would refuse the newest.
func (b *Broker) trim(ctx context.Context) error {
	ctx, cancel := b.bound(ctx)
	defer cancel()
	s, err := b.lookUp(ctx, b.names.stream("r"))
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return b.ensure(ctx, b.streams()...)
	case err == nil && s.CachedInfo().State.Msgs > uint64(b.cfg.MaxResults):
		err = s.Purge(ctx, jetstream.WithPurgeKeep(uint64(b.cfg.MaxResults)))
	}
	if err != nil {
		return unavailable(err)
	}
	return nil
}
