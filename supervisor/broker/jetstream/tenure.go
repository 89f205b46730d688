package jetstream

import (
	"context"
	"math"
	"time"
)

// Servers that go away take along what they had not told the others, or written, of their last deliveries: whoever goes
// on in their place delivers that once more, as if for the first time. Brokers that share servers therefore look into
// first deliveries, too, as far as they may be second ones.

// tenure is the time in which one server knows what was delivered of a level: until it goes away, or the level's consumer
// does.
type tenure struct {
	made   time.Time // the consumer
	leader string
	since  time.Time
}

// suspect finds out which of the claims may have been leased before although the server calls them new.
func (p *pool) suspect(ctx context.Context, claims []*claim) error {
	fresh := map[int][]*claim{}
	for _, c := range claims {
		if c.lease.Delivery == 1 {
			fresh[c.level] = append(fresh[c.level], c)
		}
	}
	for level, claims := range fresh {
		doubt, err := p.doubted(ctx, level)
		if err != nil {
			return err
		}
		for _, c := range claims {
			c.doubtful = c.seq <= doubt
		}
	}
	return nil
}

// doubted is up to which sequence what is new on a level may be so only to the server that delivers it.
func (p *pool) doubted(ctx context.Context, level int) (uint64, error) {
	if !p.b.replicated.Load() {
		return math.MaxUint64, nil // it may have been killed at any time; to look into all costs one request
	}
	now, err := p.b.tenureOf(ctx, p.stream, levelToken(level))
	if err != nil {
		return 0, err
	}
	p.mu.Lock()
	q := p.levels[level]
	doubt, known := q.doubt, q.tenure == now
	p.mu.Unlock()
	if known {
		return doubt, nil
	}
	// What is queued from now on was not there to be delivered by anybody before.
	s, err := p.b.lookUp(ctx, p.stream)
	if err != nil {
		return 0, unavailable(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	q.tenure, q.doubt = now, s.CachedInfo().State.LastSeq
	return q.doubt, nil
}

// tenureOf asks who knows what was delivered of a level. Whoever answers is the one who delivered what has arrived
// already, or has taken its place since.
func (s *session) tenureOf(ctx context.Context, stream, consumer string) (tenure, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	var t tenure
	err := s.insist(ctx, func(ctx context.Context) error {
		c, err := s.js.Consumer(ctx, stream, consumer)
		if err != nil {
			return err
		}
		info := c.CachedInfo()
		t.made = info.Created
		if info.Cluster != nil {
			t.leader = info.Cluster.Leader
			if since := info.Cluster.LeaderSince; since != nil {
				t.since = *since
			}
		}
		return nil
	})
	if err != nil {
		return t, unavailable(err)
	}
	return t, nil
}
