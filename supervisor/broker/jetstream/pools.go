package jetstream

import (
	"context"
	"errors"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

func (b *Broker) pauseSubject(pool string) string { return b.names.subject("p", "paused", token(pool)) }

// Pause implements broker.Pools.
func (b *Broker) Pause(ctx context.Context, pool string, paused bool) error {
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
		flag = []byte("paused")
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
	p.mu.Unlock()
	p.signal()
}

// loadPause finds out whether a pool is paused.
func (p *pool) loadPause(ctx context.Context) error {
	s, err := p.b.last(ctx, p.b.names.stream("p"), p.b.pauseSubject(p.name))
	if err != nil && !errors.Is(err, broker.ErrNotFound) {
		return err
	}
	p.pause(len(s.data) > 0)
	return nil
}

// Counts implements broker.Pools. Several brokers on one server see the same figures.
func (b *Broker) Counts(ctx context.Context, pool string) (broker.Counts, error) {
	var counts broker.Counts
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
	oldest, err := p.countLevels(ctx, &counts)
	if err != nil {
		return counts, err
	}
	retrying = min(retrying, counts.Leased)
	counts.Leased -= retrying
	counts.Scheduled = retrying + delayed
	if !oldest.IsZero() {
		counts.Oldest = max(time.Since(oldest), 0)
	}
	p.mu.Lock()
	counts.Paused = p.pausing
	p.mu.Unlock()
	return counts, nil
}

// countLevels adds up what the consumers say: what they have not delivered is queued, what they have
// is leased, or waits for its next attempt.
func (p *pool) countLevels(ctx context.Context, counts *broker.Counts) (oldest time.Time, err error) {
	p.mu.Lock()
	levels := make([]int, 0, len(p.levels))
	ahead := p.buffered()
	for l := range p.levels {
		levels = append(levels, l)
	}
	p.mu.Unlock()
	for _, l := range levels {
		c, err := p.b.js.Consumer(ctx, p.stream, levelToken(l))
		if err != nil {
			p.stale()
			return oldest, unavailable(err)
		}
		info := c.CachedInfo()
		counts.Queued += int(info.NumPending)
		counts.Leased += info.NumAckPending
		if info.NumPending == 0 {
			continue
		}
		next := lookup{Seq: info.Delivered.Stream + 1, NextFor: p.prefix(l) + "*"}
		_, err = p.b.get(ctx, p.stream, next, func(s stored) {
			q, err := p.b.read(s, p.stream)
			if err == nil && (oldest.IsZero() || q.message.Submitted.Before(oldest)) {
				oldest = q.message.Submitted
			}
		})
		if err != nil {
			return oldest, err
		}
	}
	ahead = min(ahead, counts.Leased)
	counts.Queued, counts.Leased = counts.Queued+ahead, counts.Leased-ahead
	return oldest, nil
}

// count is how many messages a stream has under a subject.
func (s *session) count(ctx context.Context, stream, subject string) (int, error) {
	n := 0
	left, err := s.get(ctx, stream, lookup{Seq: 1, NextFor: subject, Batch: 1}, func(stored) { n++ })
	return n + left, err
}
