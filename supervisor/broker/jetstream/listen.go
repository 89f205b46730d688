package jetstream

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
)

// listen hears what other brokers on the same server say.
func (b *Broker) listen() error {
	if b.engine != nil {
		return nil // there is nobody else
	}
	for subject, handle := range map[string]nats.MsgHandler{
		b.names.subject("x", "level", "*", "*"): b.hearLevel,
		b.names.subject("x", "held", "*"):       b.hearHeld,
		b.names.subject("x", "count", "*"):      b.hearCount,
		b.names.subject("x", "over", "*"):       b.hearOver,
		b.names.subject("x", "slot", "*"):       b.hearSlot,
	} {
		if _, err := b.peers.Subscribe(subject, handle); err != nil {
			return unavailable(err)
		}
	}
	if _, err := b.nc.Subscribe(b.names.subject("p", "paused", "*"), b.hearPause); err != nil {
		return unavailable(err)
	}
	var err error
	b.others, err = newOthers(b)
	return err
}

func (b *Broker) hearPause(m *nats.Msg) {
	for _, p := range b.everyPool() {
		if token(p.name) == lastToken(m.Subject) {
			p.pause(len(m.Data) > 0)
		}
	}
}

// hearLevel gets to know a level, and perhaps a pool, that another broker has begun to use.
func (b *Broker) hearLevel(m *nats.Msg) {
	l, ok := levelOf(lastToken(m.Subject))
	if !ok || len(m.Data) == 0 {
		return
	}
	if _, err := b.entry(string(m.Data)).known(l); err != nil {
		b.cfg.Logger.Warn("a level of priority is not read yet", "pool", string(m.Data), "level", l, "error", err)
	}
}

// subscription is how to hear that another broker stored the result of a task. With an embedded server
// there is no other.
func (b *Broker) subscription(id string) func() (*nats.Subscription, error) {
	if b.engine != nil {
		return nil
	}
	return func() (*nats.Subscription, error) {
		return b.nc.Subscribe(b.names.subject("x", "done", token(id)), func(*nats.Msg) { b.hearResult(id) })
	}
}

func (b *Broker) hearResult(id string) {
	if !b.waiters.any(id) {
		return
	}
	ctx, cancel := b.bound(context.Background())
	defer cancel()
	if err := b.lookFor(ctx, id); err != nil {
		b.cfg.Logger.Warn("a result cannot be read now", "task", id, "error", err)
		b.waiters.doubt(id)
	}
}

// lookAgain looks for results that may have been missed, one after the other, until the broker is closed.
func (b *Broker) lookAgain() {
	for {
		select {
		case <-b.ctx.Done():
			return
		case <-b.waiters.doubted:
		}
		for id, ok := b.waiters.nextDoubt(); ok; id, ok = b.waiters.nextDoubt() {
			ctx, cancel := b.bound(b.ctx)
			err := b.lookFor(ctx, id)
			cancel()
			if err == nil {
				continue
			}
			b.waiters.doubt(id)
			select {
			case <-b.ctx.Done():
				return
			case <-time.After(leasePause):
			}
		}
	}
}
