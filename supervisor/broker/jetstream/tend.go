package jetstream

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/jetstream/storepb"
)

// tend extends the leases of messages that were read ahead, or gives them back when nobody wants them.
func (p *pool) tend(ctx context.Context) {
	p.mu.Lock()
	p.letGo(p.lapsed)
	wanted := (p.waiting || time.Since(p.left) <= idle) && !p.pausing
	ahead := p.ahead()
	p.mu.Unlock()
	if wanted {
		p.extendAhead(ctx, ahead)
	} else {
		p.giveBackAhead(ctx)
	}
}

// extendAhead renews the leases of what was read ahead.
func (p *pool) extendAhead(ctx context.Context, ahead []*arrival) {
	out := make([]outgoing, len(ahead))
	for i, a := range ahead {
		out[i] = outgoing{subject: a.reply, data: ackProgress}
	}
	ctx, cancel := context.WithTimeout(ctx, p.b.cfg.LeaseTime/4)
	defer cancel()
	at := time.Now()
	errs := p.b.publish(ctx, out)
	for i, a := range ahead {
		if errs == nil || errs[i] == nil { // the others lapse
			a.renew(at)
		}
	}
}

// lapsed says that a message was read ahead and not renewed in time.
func (p *pool) lapsed(a *arrival) bool {
	return time.Since(*a.renewed.Load()) >= p.b.cfg.LeaseTime*19/20
}

// mostUnheld bounds what is known of messages that were let go of.
const mostUnheld = 100_000

// letGo forgets messages that were read ahead, and remembers that they were not handed out: when they are delivered again,
// here, that counts as if they had not been delivered before. To others it looks as if somebody had leased them. Requires mu.
func (p *pool) letGo(which func(*arrival) bool) {
	if len(p.unheld) > mostUnheld {
		clear(p.unheld)
	}
	goes := func(a *arrival) bool {
		if !which(a) {
			return false
		}
		p.unheld[a.seq]++
		return true
	}
	for _, q := range p.levels {
		q.buffer = slices.DeleteFunc(q.buffer, goes)
	}
	p.parked = slices.DeleteFunc(p.parked, func(c *claim) bool { return goes(c.arrival) })
	p.b.gate.parks(p, len(p.parked) > 0)
}

// handedOut ends what letGo has begun.
func (p *pool) handedOut(claims []*claim) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.unheld) == 0 {
		return
	}
	for _, c := range claims {
		delete(p.unheld, c.seq)
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
