package jetstream

import (
	"context"
	"maps"
	"slices"
	"time"
)

// A lease may lapse while its holder goes on with the task: the servers were away, or too few to agree. When they are
// back, the task is whoever's leases it first. Before that one takes the last holder for gone, it asks who runs the task.

// returnTime is how long others may take to be back after a connection was lost that is back here.
const returnTime = time.Second

// want notes that the holder of a lease that is lost goes on with its task.
func (c *claim) want() {
	now := time.Now()
	c.wanted.Store(&now)
}

// runs says that the claim's holder may be at work on its task, whether its lease is good or not.
func (c *claim) runs() bool {
	wanted := c.wanted.Load()
	return !c.lapsed() || c.beginning.Load() && !c.gone() || wanted != nil && time.Since(*wanted) < c.pool.b.cfg.LeaseTime
}

// awaitOthers gives those time who are just coming back, as we are.
func (b *Broker) awaitOthers(ctx context.Context) error {
	left := min(returnTime, b.cfg.LeaseTime/2) - b.backSince()
	if b.engine != nil || left <= 0 {
		return nil
	}
	soon := time.NewTimer(left)
	defer soon.Stop()
	select {
	case <-soon.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leaveToOthers gives back the claims to whose tasks somebody else still attends, and returns the rest. Of those an attempt
// counts that nobody has told the end of.
func (p *pool) leaveToOthers(ctx context.Context, claims []*claim) ([]*claim, error) {
	var asked []*claim
	for _, c := range claims {
		if c.vanished || c.doubtful {
			asked = append(asked, c)
		}
	}
	if p.b.engine != nil {
		asked = nil
	}
	theirs, err := p.b.runElsewhere(ctx, asked)
	if err != nil {
		return claims, err
	}
	// Who has just stored a result does not run it any more.
	ended, err := p.b.resultsOf(ctx, asked)
	if err != nil {
		return claims, err
	}
	kept := claims[:0]
	for _, c := range claims {
		id := c.lease.Task.ID
		switch {
		case ended[id] != nil:
			p.b.finishFor(ctx, c, ended[id])
			p.b.gate.leave(&c.lease.Message)
		case theirs[id]:
			p.b.leave(c, min(returnTime, p.b.cfg.LeaseTime/2))
			p.b.gate.leave(&c.lease.Message)
		default:
			if c.vanished {
				c.lease.History.Vanish()
			}
			kept = append(kept, c)
		}
	}
	return kept, nil
}

// resultsOf looks up the results of claims' tasks.
func (b *Broker) resultsOf(ctx context.Context, claims []*claim) (map[string][]byte, error) {
	if len(claims) == 0 {
		return nil, nil
	}
	ids := make(map[string]string, len(claims))
	subjects := make([]string, len(claims))
	for i, c := range claims {
		id := c.lease.Task.ID
		subjects[i], ids[token(id)] = b.names.result(id), id
	}
	found := map[string][]byte{}
	err := b.lasts(ctx, b.names.stream("r"), subjects, func(s stored) { found[ids[lastToken(s.subject)]] = s.data })
	return found, err
}

// leave gives a claim back that its task's holder should have: it comes again after d, and is looked into again.
func (b *Broker) leave(c *claim, d time.Duration) {
	_ = b.nc.Publish(c.reply, nakFor(d)) // it comes again when the claim lapses if this is lost
}

// mostNamed is how many tasks are asked for at once.
const mostNamed = 1000

// runElsewhere says which of the claims' tasks others are at work on.
func (b *Broker) runElsewhere(ctx context.Context, claims []*claim) (map[string]bool, error) {
	theirs := map[string]bool{}
	for some := range slices.Chunk(claims, mostNamed) {
		ids := make([]string, len(some))
		for i, c := range some {
			ids[i] = c.lease.Task.ID
		}
		running, err := b.others.running(ctx, ids)
		if err != nil {
			return nil, err
		}
		maps.Copy(theirs, running)
	}
	return theirs, nil
}
