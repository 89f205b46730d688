package jetstream

import (
	"context"
	"errors"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/jetstream/storepb"
)

// tend extends the leases of messages that were read ahead, or gives them back when nobody wants them.
func (p *pool) tend(ctx context.Context) {
	p.mu.Lock()
	wanted := (p.waiting || time.Since(p.left) <= idle) && !p.pausing
	if wanted {
		p.extendAhead()
	}
	p.mu.Unlock()
	if !wanted {
		p.giveBackAhead(ctx)
	}
}

// extendAhead renews the leases of what was read ahead. Requires mu.
func (p *pool) extendAhead() {
	for _, a := range p.ahead() {
		at := time.Now()
		if err := p.b.nc.Publish(a.reply, ackProgress); err != nil {
			return // they lapse
		}
		a.renew(at)
	}
}

// giveBackAhead returns what was read ahead.
func (p *pool) giveBackAhead(ctx context.Context) {
	p.mu.Lock()
	var back []*claim
	for _, q := range p.levels {
		for c := q.head(); c != nil; c = q.head() {
			back = append(back, q.pop())
		}
	}
	back = append(back, p.parked...)
	p.parked = nil
	p.b.gate.parks(p, false)
	p.mu.Unlock()
	p.b.unread(ctx, back, func(*claim) time.Duration { return 0 })
}

// refuse returns what found no room under its concurrency key, and no place to wait for it. The longer it
// has to wait, the less often it is looked at.
func (p *pool) refuse(ctx context.Context) {
	p.mu.Lock()
	refused := p.refused
	p.refused = nil
	p.mu.Unlock()
	p.b.unread(ctx, refused, func(c *claim) time.Duration { return parkedPause << min(c.delivery, 6) })
}

// stateOf reads the state of a task, nil if it has none.
func (b *Broker) stateOf(ctx context.Context, c *claim) (*storepb.State, error) {
	s, err := b.last(ctx, b.names.stream("s"), b.names.state(c.pool.name, c.lease.Task.ID))
	if err != nil && !errors.Is(err, broker.ErrNotFound) {
		return nil, err
	}
	c.state = s.seq // 0 if there is none
	if len(s.data) == 0 {
		return nil, nil
	}
	return readState(s.data)
}
