package jetstream

import (
	"context"
	"strings"

	"github.com/nats-io/nats.go"
)

// listen hears what other brokers on the same server say.
func (b *Broker) listen() error {
	for subject, handle := range map[string]nats.MsgHandler{
		b.names.subject("p", "paused", "*"):     b.hearPause,
		b.names.subject("x", "level", "*", "*"): b.hearLevel,
	} {
		if _, err := b.nc.Subscribe(subject, handle); err != nil {
			return unavailable(err)
		}
	}
	return nil
}

func (b *Broker) hearPause(m *nats.Msg) {
	for _, p := range b.everyPool() {
		if token(p.name) == lastToken(m.Subject) {
			p.pause(len(m.Data) > 0)
		}
	}
}

func (b *Broker) hearLevel(m *nats.Msg) {
	b.mu.Lock()
	p := b.pools[string(m.Data)]
	b.mu.Unlock()
	l, ok := levelOf(lastToken(m.Subject))
	if p == nil || !ok || strings.Count(m.Subject, ".") < 2 {
		return
	}
	if _, err := p.known(l); err != nil {
		b.cfg.Logger.Warn("a level of priority is not read yet", "pool", p.name, "level", l, "error", err)
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
		b.cfg.Logger.Warn("a result cannot be read now", "task", id, "error", err) // it is looked for again
	}
}
