package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/brood-run/brood/supervisor/broker"
)

// slots is the stream of leases under concurrency keys, for brokers that share a server: a key has as many
// subjects as its limit, and a message under one of them is the lease that has it, for as long as it is renewed.
func (s *session) slots() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: s.names.stream("c"), Subjects: []string{s.names.subject("c", "*", "*")}, AllowDirect: true, AllowMsgTTL: true,
		AllowRollup: true, MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true,
	}
}

// slotPause is how long a key without a free slot is left alone, unless somebody says that one is free: a word
// that comes before it is waited for is lost, and one whose holder died is not said.
const slotPause = 500 * time.Millisecond

// slotTTL is how long a slot outlives its last renewal: the server knows whole seconds only.
func (s *session) slotTTL() string {
	return strconv.Itoa(int((s.cfg.LeaseTime+time.Second-1)/time.Second) + 1)
}

// enterShared takes a slot for each claim that needs one, and parks those that find none.
func (p *pool) enterShared(ctx context.Context, claims []*claim) ([]*claim, error) {
	if p.b.engine != nil {
		return claims, nil
	}
	kept := claims[:0:0]
	for i, c := range claims {
		ok, err := p.b.slot(ctx, c)
		if err != nil {
			p.unget(claims[i:])
			return kept, err
		}
		if ok {
			kept = append(kept, c)
			continue
		}
		p.b.gate.shut(c.lease.ConcurrencyKey, slotPause)
		p.park(c)
	}
	return kept, nil
}

// slot takes a free slot of a claim's concurrency key. It is true if none is needed.
func (b *Broker) slot(ctx context.Context, c *claim) (bool, error) {
	m := &c.lease.Message
	if m.ConcurrencyKey == "" {
		return true, nil
	}
	taken := map[string]bool{}
	own := ""
	// A slot that is not known to be taken is refused by the server; one that is not known to be free is tried again.
	err := b.lastsNearby(ctx, b.names.stream("c"), []string{b.names.subject("c", token(m.ConcurrencyKey), "*")}, func(s stored) {
		taken[s.subject] = true
		if string(s.data) == m.Task.ID {
			own = s.subject // of an earlier lease of the same task
		}
	})
	if err == nil && own != "" && b.replicated.Load() {
		own, err = b.stillOwn(ctx, own, m.Task.ID)
	}
	if err != nil {
		return false, err
	}
	if own != "" {
		c.slot = own
		return true, b.renewSlot(c)
	}
	if len(taken) >= m.ConcurrencyLimit {
		return false, nil
	}
	for n := range m.ConcurrencyLimit {
		subject := b.names.subject("c", token(m.ConcurrencyKey), strconv.Itoa(n))
		if taken[subject] {
			continue
		}
		errs := b.publish(ctx, []outgoing{{
			subject: subject, data: []byte(m.Task.ID), header: nats.Header{"Nats-TTL": []string{b.slotTTL()}},
		}})
		switch {
		case errs == nil:
			c.slot = subject
			return true, nil
		case !errors.Is(errs[0], errExists):
			return false, fmt.Errorf("concurrency key %q: %w", m.ConcurrencyKey, errs[0])
		}
	}
	return false, nil
}

// stillOwn returns a slot if its task has it, as its leader knows it: somebody else may have it by now, who must not
// lose it to a renewal.
func (b *Broker) stillOwn(ctx context.Context, slot, id string) (string, error) {
	s, err := b.last(ctx, b.names.stream("c"), slot)
	if errors.Is(err, broker.ErrNotFound) || err == nil && string(s.data) != id {
		return "", nil
	}
	return slot, err
}

// renewSlot keeps a slot for as long as the lease that has just been extended.
func (b *Broker) renewSlot(c *claim) error {
	if c.slot == "" {
		return nil
	}
	return b.nc.PublishMsg(&nats.Msg{
		Subject: c.slot, Data: []byte(c.lease.Task.ID),
		Header: nats.Header{"Nats-TTL": []string{b.slotTTL()}, "Nats-Rollup": []string{"sub"}},
	})
}

// freeSlot lets others have a slot, and tells them. If it cannot be freed now, it is when its time is over.
func (b *Broker) freeSlot(ctx context.Context, c *claim) {
	if c.slot == "" {
		return
	}
	s, err := b.last(ctx, b.names.stream("c"), c.slot)
	if err == nil && string(s.data) == c.lease.Task.ID {
		err = b.remove(ctx, b.names.stream("c"), s.seq)
	}
	if err == nil {
		err = b.nc.Publish(b.names.subject("x", "slot", token(c.lease.ConcurrencyKey)), []byte(c.lease.ConcurrencyKey))
	}
	if err != nil {
		b.cfg.Logger.Debug("a slot is freed when its time is over", "key", c.lease.ConcurrencyKey, "error", err)
	}
}

// hearSlot has those look again who wait for room under a key.
func (b *Broker) hearSlot(m *nats.Msg) { b.gate.open(string(m.Data)) }
