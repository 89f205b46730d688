package jetstream

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/brood-run/brood/supervisor/broker"
)

func (b *Broker) pauseSubject(pool string) string { return b.names.subject("p", "paused", token(pool)) }

// pauseFlag is what is stored for a pool that is paused; for one that was resumed, nothing is.
const pauseFlag = "paused"

// Pause implements broker.Pools.
func (b *Broker) Pause(ctx context.Context, pool string, paused bool) (err error) {
	defer func() { err = b.cause(err) }()
	if err := b.closed(); err != nil {
		return err
	}
	ctx, cancel := b.bound(ctx)
	defer cancel()
	p, err := b.pool(ctx, pool)
	if err != nil {
		return err
	}
	var flag []byte
	if paused {
		flag = []byte(pauseFlag)
	}
	// Every broker hears of what is published under this subject, this one too; see listen.
	if errs := b.publish(ctx, []outgoing{{subject: b.pauseSubject(pool), data: flag}}); errs != nil {
		return errs[0]
	}
	p.pause(paused)
	return nil
}

// pause stops or resumes leasing.
func (p *pool) pause(paused bool) {
	p.mu.Lock()
	p.pausing = paused
	p.paused++
	p.mu.Unlock()
	p.signal()
}

// loadPause finds out whether a pool is paused.
func (p *pool) loadPause(ctx context.Context) error {
	p.mu.Lock()
	before := p.paused
	p.mu.Unlock()
	s, err := p.b.last(ctx, p.b.names.stream("p"), p.b.pauseSubject(p.name))
	if err != nil && !errors.Is(err, broker.ErrNotFound) {
		return err
	}
	paused := len(s.data) > 0
	if s.seq == 0 && p.b.engine != nil && p.b.engine.lostOfPools(p.b.pauseSubject(p.name)) {
		p.b.cfg.Logger.Error("a pool may have been paused, which is damaged: it is paused until it is resumed", "pool", p.name)
		if errs := p.b.publish(ctx, []outgoing{{subject: p.b.pauseSubject(p.name), data: []byte(pauseFlag)}}); errs != nil {
			return errs[0]
		}
		paused = true
	}
	p.found(paused, before)
	return nil
}

// found is what the server knew of a pool's pause, unless that has changed since so many changes.
func (p *pool) found(paused bool, before uint64) {
	p.mu.Lock()
	if p.paused == before {
		p.pausing = paused
	}
	p.mu.Unlock()
	p.signal()
}

// Counts implements broker.Pools. Several brokers on one server see the same figures; in a cluster they may be behind
// for a moment.
func (b *Broker) Counts(ctx context.Context, pool string) (counts broker.Counts, err error) {
	defer func() { err = b.cause(err) }()
	if err := b.closed(); err != nil {
		return counts, err
	}
	ctx, cancel := b.bound(ctx)
	defer cancel()
	p, err := b.pool(ctx, pool)
	if err != nil {
		return counts, err
	}
	retrying, err := b.count(ctx, b.names.stream("s"), b.names.subject("w", token(pool), "*"))
	if err != nil {
		return counts, err
	}
	delayed, err := b.countDelayed(ctx, pool)
	if err != nil {
		return counts, err
	}
	if counts.Dead, err = b.count(ctx, b.names.stream("d"), b.names.subject("d", token(pool), "*")); err != nil {
		return counts, err
	}
	known, err := p.countLevels(ctx)
	if err != nil {
		return counts, err
	}
	leased, err := b.countLeased(p, known.delivered)
	if err != nil {
		return counts, err
	}
	// What was delivered and is not leased waits for its next attempt, or for somebody to lease it again.
	counts.Leased = min(leased, known.delivered)
	retrying = min(retrying, known.delivered-counts.Leased)
	again := known.delivered - counts.Leased - retrying
	counts.Scheduled, counts.Queued = retrying+delayed, known.fresh+again
	oldest := known.oldest
	if again > 0 {
		if oldest, err = p.oldestAgain(ctx, known); err != nil {
			return counts, err
		}
	}
	if !oldest.IsZero() && counts.Queued > 0 {
		counts.Oldest = max(time.Since(oldest), 0)
	}
	p.mu.Lock()
	counts.Paused = p.pausing
	p.mu.Unlock()
	return counts, nil
}

// census is what the consumers of a pool say.
type census struct {
	fresh, delivered int
	oldest           time.Time // when the oldest fresh task was submitted
	consumers        []*jetstream.ConsumerInfo
}

func (p *pool) countLevels(ctx context.Context) (census, error) {
	var all census
	p.mu.Lock()
	levels := make([]int, 0, len(p.levels))
	for l := range p.levels {
		levels = append(levels, l)
	}
	p.mu.Unlock()
	for _, l := range levels {
		c, err := p.b.js.Consumer(ctx, p.stream, levelToken(l))
		if err != nil {
			p.stale()
			return all, unavailable(err)
		}
		info := c.CachedInfo()
		all.fresh += int(info.NumPending)
		all.delivered += info.NumAckPending
		all.consumers = append(all.consumers, info)
		if info.NumPending == 0 {
			continue
		}
		next := lookup{Seq: info.Delivered.Stream + 1, NextFor: p.prefix(l) + "*"}
		if _, err = p.b.get(ctx, p.stream, next, func(s stored) { all.see(p, s) }); err != nil {
			return all, err
		}
	}
	return all, nil
}

func (c *census) see(p *pool, s stored) {
	q, err := p.b.read(s, p.stream)
	if err == nil && (c.oldest.IsZero() || q.message.Submitted.Before(c.oldest)) {
		c.oldest = q.message.Submitted
	}
}

// oldestLook bounds how many of the delivered tasks of a level are looked at for the oldest that waits.
const oldestLook = 256

// oldestAgain looks for the oldest task among those, too, that were leased before.
func (p *pool) oldestAgain(ctx context.Context, c census) (time.Time, error) {
	for _, info := range c.consumers {
		if info.NumAckPending == 0 {
			continue
		}
		q := lookup{Seq: info.AckFloor.Stream + 1, NextFor: info.Config.FilterSubject, Batch: oldestLook}
		_, err := p.b.get(ctx, p.stream, q, func(s stored) {
			q, err := p.b.read(s, p.stream)
			if err != nil || s.seq > info.Delivered.Stream {
				return
			}
			if held := p.b.held.get(q.message.Task.ID); held == nil || held.lapsed() {
				c.see(p, s)
			}
		})
		if err != nil {
			return c.oldest, err
		}
	}
	return c.oldest, nil
}

// count is how many messages a stream has under a subject, as some server knows it.
func (s *session) count(ctx context.Context, stream, subject string) (int, error) {
	n := 0
	left, err := s.get(ctx, stream, lookup{Seq: 1, NextFor: subject, Batch: 1}, func(stored) { n++ })
	return n + left, err
}
