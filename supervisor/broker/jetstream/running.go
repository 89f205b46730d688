package jetstream

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
)

// A lease may lapse while its holder goes on with the task: the servers were away, or too few to agree. When they are
// back, the task is whoever's leases it first. Before that one takes the last holder for gone, it asks who runs the task.

// returnTime is how long others may take to be back after a connection was lost that is back here.
const returnTime = 2 * time.Second

// want notes that the holder of a lease that is lost goes on with its task.
func (c *claim) want() {
	now := time.Now()
	c.wanted.Store(&now)
}

// runs says that the claim's holder may be at work on its task, whether its lease is good or not.
func (c *claim) runs() bool {
	wanted := c.wanted.Load()
	return !c.lapsed() || c.beginning.Load() || wanted != nil && time.Since(*wanted) < c.pool.b.cfg.LeaseTime
}

// leaveToOthers gives back the claims to whose tasks somebody else still attends, and returns the rest. Of those an attempt
// counts that nobody has told the end of.
func (p *pool) leaveToOthers(ctx context.Context, claims []*claim) ([]*claim, error) {
	var ask []*claim
	for _, c := range claims {
		if c.vanished {
			ask = append(ask, c)
		}
	}
	theirs, err := p.b.runElsewhere(ctx, ask)
	if err != nil {
		return claims, err
	}
	kept := claims[:0]
	for _, c := range claims {
		if theirs[c.lease.Task.ID] {
			p.b.leave(c, min(returnTime, p.b.cfg.LeaseTime/2))
			p.b.gate.leave(&c.lease.Message)
			continue
		}
		if c.vanished {
			c.lease.History.Vanish()
		}
		kept = append(kept, c)
	}
	return kept, nil
}

// leave gives a claim back that its task's holder should have: it comes again after d, and is looked into again.
func (b *Broker) leave(c *claim, d time.Duration) {
	_ = b.nc.Publish(c.reply, nakFor(d)) // it comes again when the claim lapses if this is lost
}

// runElsewhere says which of the claims' tasks others are at work on, or may be, as they are just coming back.
func (b *Broker) runElsewhere(ctx context.Context, claims []*claim) (map[string]bool, error) {
	theirs := map[string]bool{}
	if b.engine != nil || len(claims) == 0 {
		return theirs, nil
	}
	if b.backSince() < returnTime {
		for _, c := range claims {
			theirs[c.lease.Task.ID] = true
		}
		return theirs, nil
	}
	inbox := b.peers.NewInbox()
	answers := make(chan *nats.Msg, len(claims))
	sub, err := b.peers.ChanSubscribe(inbox, answers)
	if err != nil {
		return nil, unavailable(err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only if the connection is closed
	for _, c := range claims {
		id := c.lease.Task.ID
		if err := b.peers.PublishRequest(b.names.subject("x", "runs", token(id)), inbox, []byte(id)); err != nil {
			return nil, unavailable(err)
		}
	}
	late := time.NewTimer(askTime)
	defer late.Stop()
	for range claims {
		select {
		case m := <-answers:
			if len(m.Header) > 0 { // there is nobody else
				return theirs, nil
			}
			theirs[string(m.Data)] = true
		case <-late.C:
			return theirs, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return theirs, nil
}

// hearRuns answers those who ask for a task that somebody here is at work on.
func (b *Broker) hearRuns(m *nats.Msg) {
	if c := b.held.get(string(m.Data)); c != nil && c.runs() {
		_ = m.Respond(m.Data) // they ask again
	}
}
