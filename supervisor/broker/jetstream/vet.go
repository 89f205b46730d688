package jetstream

import (
	"context"
	"time"

	"github.com/brood-run/brood/supervisor/broker/jetstream/storepb"
)

// vet returns those of the claims that may be handed out. Those that were leased before may have their
// result, have to wait, or have a history; those that expire may have their result, and be in the queue for a moment more.
func (p *pool) vet(ctx context.Context, claims []*claim) ([]*claim, error) {
	if len(claims) == 0 {
		return nil, nil
	}
	p.mu.Lock()
	for _, c := range claims {
		c.afresh(p.unheld[c.seq])
		_, c.over = p.over[c.lease.Task.ID]
	}
	replaced := p.servers > 0
	p.mu.Unlock()
	if err := p.mark(ctx, claims); err != nil {
		return claims, err
	}
	var again []*claim
	for _, c := range claims {
		if c.lease.Delivery > 1 || c.doubtful || c.expired() || c.over || replaced && p.b.held.get(c.lease.Task.ID) != nil {
			again = append(again, c)
		}
	}
	if len(again) == 0 {
		return claims, nil
	}
	if err := p.b.awaitOthers(ctx); err != nil {
		return claims, err
	}
	past, err := p.b.past(ctx, p.name, again)
	if err != nil {
		return claims, err
	}
	kept := claims[:0]
	for _, c := range claims {
		before, known := past[c.lease.Task.ID]
		switch {
		case !known:
			kept = append(kept, c)
		case p.b.busy(c):
		case p.b.resume(ctx, c, before):
			kept = append(kept, c)
		default:
			p.b.gate.leave(&c.lease.Message)
		}
	}
	return p.leaveToOthers(ctx, kept)
}

// busy says that a claim's task is held here under a lease that is good: an embedded server that was replaced does not
// know. The claim is given back for as long as that lease lasts. One of an earlier life of the task is none of it.
func (b *Broker) busy(c *claim) bool {
	h := b.held.get(c.lease.Task.ID)
	if b.engine == nil || h == nil || h.seq != c.seq || h.lapsed() {
		return false
	}
	b.gate.enter(h) // which the claim has stood in for
	b.leave(c, b.cfg.LeaseTime)
	return true
}

// past is what is stored of a task that was leased before.
type past struct {
	result []byte
	state  []byte
	seq    uint64 // of the state
	intent []byte
}

// past looks up what is stored of tasks.
func (b *Broker) past(ctx context.Context, pool string, claims []*claim) (map[string]*past, error) {
	found := make(map[string]*past, len(claims))
	byToken := make(map[string]*past, len(claims))
	results, states := make([]string, len(claims)), make([]string, 0, 2*len(claims))
	for i, c := range claims {
		id := c.lease.Task.ID
		found[id] = &past{}
		byToken[token(id)] = found[id]
		results[i], states = b.names.result(id), append(states, b.names.state(pool, id), b.names.intent(id))
	}
	err := b.lasts(ctx, b.names.stream("r"), results, func(s stored) { byToken[lastToken(s.subject)].result = s.data })
	if err != nil {
		return nil, err
	}
	err = b.lasts(ctx, b.names.stream("s"), states, func(s stored) {
		p := byToken[lastToken(s.subject)]
		if s.subject == b.names.subject("s", "=cancel", lastToken(s.subject)) {
			p.intent = s.data
		} else {
			p.state, p.seq = s.data, s.seq
		}
	})
	return found, err
}

// resume gives a claim the history of its task. It is false when the claim is not to be handed out.
func (b *Broker) resume(ctx context.Context, c *claim, p *past) bool {
	if p.result != nil {
		b.finishFor(ctx, c, p.result)
		return false
	}
	s := b.recallState(c, p)
	if c.doubtful && s.GetBegun() && b.engine == nil {
		// Whoever began it may go on. If not, its lease has lapsed when this comes again.
		b.leave(c, b.cfg.LeaseTime)
		return false
	}
	// Whoever leased it first may have started it without saying so, unless it has one attempt only; what
	// was said of one that is very old has been dropped.
	told := c.lease.StartsOnce() && time.Since(c.lease.Submitted) < stateTTL
	c.vanished = s.GetBegun() || s.GetLeases() == 0 && c.lease.Delivery > 1 && !told
	if c.intended(p.intent) {
		if c.vanished {
			c.lease.History.Vanish()
		}
		b.fulfil(ctx, c)
		return false
	}
	if wait := time.Until(unstamp(s.GetNotBefore())); s.GetNotBefore() != 0 && wait > 0 {
		s.Unseen++
		if err := b.remember(ctx, c, s); err == nil {
			_ = b.giveBack(ctx, c, wait) // it comes again when the lease lapses, and is looked at again
		}
		return false
	}
	return true
}

// finishFor ends a claim whose task has its result.
func (b *Broker) finishFor(ctx context.Context, c *claim, result []byte) {
	if err := b.conclude(ctx, c, result); err != nil {
		b.cfg.Logger.Warn("a finished task stays in its queue for now", "task", c.lease.Task.ID, "error", err)
	}
}

// recallState gives a claim what the state of its task says, if it has one, and returns that.
func (b *Broker) recallState(c *claim, p *past) *storepb.State {
	c.state = p.seq
	if len(p.state) == 0 {
		return &storepb.State{}
	}
	s, err := readState(p.state)
	if err != nil {
		b.cfg.Logger.Error("the state of a task is damaged, it starts afresh", "task", c.lease.Task.ID, "error", err)
		s = &storepb.State{}
	}
	c.stored = true
	unseen := min(s.GetUnseen(), uint32(c.lease.Delivery-1))
	c.unseen += unseen
	// A server that was killed has forgotten its last deliveries, so that there may be fewer of them than leases.
	c.lease.Delivery = max(c.lease.Delivery-int(unseen), int(s.GetLeases())+1)
	c.lease.History = fromHistory(s.GetHistory())
	return s
}
