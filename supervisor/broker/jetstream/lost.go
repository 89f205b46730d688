package jetstream

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// A consumer may go away: somebody deletes it, or a server comes back without what it had stored. What is queued under
// its level is still there, or will be. The server turns down whoever asks for it; a level of which that is true is left
// alone, while the others of its pool go on, until mendLevels has looked for its consumer, and made it again.

// mendLevels looks after levels that the server turned us down for, until the broker is closed.
func (b *Broker) mendLevels() {
	for {
		select {
		case <-b.ctx.Done():
			return
		case <-b.turnedDown:
		}
		for _, p := range b.everyPool() {
			ctx, cancel := context.WithTimeout(b.ctx, firstAnswer)
			p.mend(ctx, p.denied())
			cancel()
		}
		select {
		case <-b.ctx.Done():
			return
		case <-time.After(leasePause):
		}
	}
}

// turnDown leaves the level alone until somebody has looked after it. Requires pool.mu.
func (q *puller) turnDown(why error) {
	q.denied = why
	select {
	case q.p.b.turnedDown <- struct{}{}:
	default:
	}
}

// denied are the levels that the server turned us down for.
func (p *pool) denied() (denied []*puller) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range p.levels {
		if q.denied != nil {
			denied = append(denied, q)
		}
	}
	return denied
}

// mend looks for the consumers of levels and makes those that are gone. If the stream is gone, too, the pool has to be
// prepared again.
func (p *pool) mend(ctx context.Context, levels []*puller) {
	for _, q := range levels {
		err := p.b.insist(ctx, func(ctx context.Context) error {
			_, err := p.b.js.Consumer(ctx, p.stream, levelToken(q.level))
			return err
		})
		if errors.Is(err, jetstream.ErrConsumerNotFound) {
			err = p.remake(ctx, q.level)
		}
		p.looked(q, err)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			p.stale()
			return
		}
	}
}

// remake makes a consumer that is gone.
func (p *pool) remake(ctx context.Context, l int) error {
	if err := p.makeConsumer(ctx, l); err != nil {
		return err
	}
	p.b.cfg.Logger.Error("the server had lost the consumer of a level of priority; it was made again", "pool", p.name, "level", l)
	if p.b.engine != nil { // it delivers again what was leased before, as if for the first time; see recall
		p.mu.Lock()
		defer p.mu.Unlock()
		p.marks[l] = max(p.marks[l], p.levels[l].marked)
		p.letGo(func(a *arrival) bool { return a.level == l })
	}
	return nil
}

// looked ends what a denial began if there is a consumer. Otherwise somebody looks again, after a pause.
func (p *pool) looked(q *puller, err error) {
	p.mu.Lock()
	why := cmp.Or(err, q.denied)
	told := why == nil || q.told == why.Error() || errors.Is(err, context.Canceled)
	switch {
	case told:
	case err == nil && q.hushed != why.Error(): // a consumer that was just made hands out nothing for a moment
		q.hushed, told = why.Error(), true
	default:
		q.told = why.Error()
	}
	if err != nil {
		q.turnDown(err)
	} else {
		q.denied, q.drained = nil, false
		p.signal()
	}
	p.mu.Unlock()
	if !told {
		p.b.cfg.Logger.Warn("no tasks of a level of priority are leased", "pool", p.name, "level", q.level, "error", why)
	}
}

// restore makes the consumers of levels that should have one, given those that have.
func (p *pool) restore(ctx context.Context, there map[int]bool) error {
	p.mu.Lock()
	settled := p.settled
	p.mu.Unlock()
	if !settled {
		if err := p.adopt(ctx, there); err != nil {
			return err
		}
	}
	p.mu.Lock()
	p.settled = true
	var gone []*puller
	for l, q := range p.levels {
		if q.denied = nil; !there[l] {
			gone = append(gone, q)
		}
	}
	p.mu.Unlock()
	p.mend(ctx, gone)
	return nil
}

// adopt gets to know the levels that have tasks and no consumer, from before this broker came.
func (p *pool) adopt(ctx context.Context, there map[int]bool) error {
	_, err := p.b.after(ctx, p.stream, 1, p.b.names.subject("q", token(p.name), ">"))
	if errors.Is(err, broker.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var lookups []lookup
	for _, l := range levels() {
		if !there[l] {
			lookups = append(lookups, lookup{Seq: 1, NextFor: p.prefix(l) + "*"})
		}
	}
	found, err := p.b.askAll(ctx, p.stream, lookups)
	if err != nil {
		return err
	}
	for _, s := range found {
		tokens := strings.Split(s.subject, ".")
		if l, ok := levelOf(tokens[len(tokens)-2]); ok {
			if _, err := p.known(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// levels are all that there may be.
func levels() (all []int) {
	for priority := task.MinPriority; priority <= task.MaxPriority; priority++ {
		if l := level(priority); len(all) == 0 || all[len(all)-1] != l {
			all = append(all, l)
		}
	}
	return all
}
