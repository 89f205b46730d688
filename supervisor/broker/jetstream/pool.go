package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// mostPending is how many tasks of one level may be leased at once, over all supervisors.
const mostPending = 1_000_000

// pool is one queue: a stream with a consumer for each level of priority that is in use.
type pool struct {
	b      *Broker
	name   string
	stream string
	marks  map[int]uint64 // how far each level had been leased when the broker was opened; embedded only

	doubt uint64 // marks may be lost: what was queued up to this sequence may have been leased; embedded only

	turn chan struct{} // holds a value while somebody leases
	wake chan struct{} // gets a value, if it has room, when somebody who leases should look again

	mu      sync.Mutex
	ready   bool // the stream is there, and all its levels are known
	settled bool // levels that had tasks and no consumer when this broker came have one
	levels  map[int]*puller
	refused []*claim             // leased, and to be given back: there is no room to park them
	servers uint64               // engine.replaced when it was looked at last
	parked  []*claim             // leased, but there is no room under their concurrency keys; by key
	unheld  map[uint64]uint32    // how often what has been read ahead was let go of without a word, by sequence; see letGo
	over    map[string]time.Time // tasks that were ended while they waited, and when
	pausing bool
	paused  uint64    // how often it was paused or resumed here
	waiting bool      // somebody leases
	left    time.Time // when nobody did any more
}

// pool returns a pool that is ready to be used.
func (b *Broker) pool(ctx context.Context, name string) (*pool, error) {
	p := b.entry(name)
	return p, p.prepare(ctx)
}

// entry returns a pool, ready or not.
func (b *Broker) entry(name string) *pool {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pools[name]
	if p == nil {
		p = &pool{
			b: b, name: name, stream: b.names.queueStream(name), levels: map[int]*puller{}, marks: map[int]uint64{}, unheld: map[uint64]uint32{}, over: map[string]time.Time{},
			turn: make(chan struct{}, 1), wake: make(chan struct{}, 1),
		}
		b.pools[name] = p
	}
	return p
}

// prepare makes the stream and the consumers of its levels if they are not there, and finds the levels in use.
func (p *pool) prepare(ctx context.Context) error {
	p.mu.Lock()
	ready := p.ready
	p.mu.Unlock()
	if ready {
		return nil
	}
	ctx, cancel := p.b.bound(ctx)
	defer cancel()
	if err := p.b.ensure(ctx, p.b.queue(p.name)); err != nil {
		return err
	}
	if err := p.findLevels(ctx); err != nil {
		return err
	}
	if err := p.loadPause(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	p.ready = true
	p.mu.Unlock()
	return nil
}

// findLevels gets to know the levels that others use, and makes the consumers that are gone.
func (p *pool) findLevels(ctx context.Context) error {
	s, err := p.b.lookUp(ctx, p.stream)
	if err != nil {
		return unavailable(err)
	}
	there := map[int]bool{}
	consumers := s.ConsumerNames(ctx)
	for name := range consumers.Name() {
		if l, ok := levelOf(name); ok {
			there[l] = true
			if _, err := p.known(l); err != nil {
				return err
			}
		}
	}
	if err := consumers.Err(); err != nil && !errors.Is(err, jetstream.ErrEndOfData) {
		return unavailable(err)
	}
	return p.restore(ctx, there)
}

// known returns the puller of a level that has its consumer.
func (p *pool) known(l int) (*puller, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if q := p.levels[l]; q != nil {
		return q, nil
	}
	q, err := newPuller(p, l)
	if err != nil {
		return nil, err
	}
	p.levels[l] = q
	p.signal()
	return q, nil
}

// level returns the puller of a level, which gets its consumer if it has none.
func (p *pool) level(ctx context.Context, l int) (*puller, error) {
	p.mu.Lock()
	q := p.levels[l]
	p.mu.Unlock()
	if q != nil {
		return q, nil
	}
	ctx, cancel := p.b.bound(ctx)
	defer cancel()
	err := p.makeConsumer(ctx, l)
	if err != nil {
		return nil, err
	}
	if q, err = p.known(l); err != nil {
		return nil, err
	}
	if p.b.engine == nil {
		_ = p.b.peers.Publish(p.b.names.subject("x", "level", token(p.name), levelToken(l)), []byte(p.name)) // they look by themselves, too, just later
	}
	return q, nil
}

// makeConsumer makes a level's consumer, or brings it up to date.
func (p *pool) makeConsumer(ctx context.Context, l int) error {
	err := p.b.insist(ctx, func(ctx context.Context) error {
		_, err := p.b.js.CreateOrUpdateConsumer(ctx, p.stream, p.b.levelConsumer(token(p.name), levelToken(l)))
		return err
	})
	if err != nil {
		return fmt.Errorf("consumer %s of %s: %w", levelToken(l), p.stream, unavailable(err))
	}
	return nil
}

// levelConsumer is the consumer of a pool's level, both as tokens.
func (s *session) levelConsumer(pool, level string) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable: level, FilterSubject: s.names.subject("q", pool, level, "*"), AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: s.cfg.LeaseTime, MaxAckPending: mostPending, MaxDeliver: -1, MaxWaiting: 4096,
	}
}

// prefix is how the subjects of a level begin.
func (p *pool) prefix(l int) string {
	return p.b.names.subject("q", token(p.name), levelToken(l)) + "."
}

// signal wakes whoever leases.
func (p *pool) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// stale makes the next call look whether the stream and its consumers are still there.
func (p *pool) stale() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready = false
	for _, q := range p.levels {
		q.reset()
	}
	p.signal()
}

// openPools gets ready the pools that have a queue, and gives back what a process had leased that is no more.
func (b *Broker) openPools(ctx context.Context) error {
	found, err := b.findPools(ctx)
	if err != nil {
		return err
	}
	for _, p := range found {
		if err := p.prepare(ctx); err != nil {
			return err
		}
		if b.engine != nil {
			if err := p.reclaim(ctx); err != nil {
				return fmt.Errorf("pool %s: %w", p.name, err)
			}
		}
	}
	return nil
}

// findPools gets to know all pools that have a queue.
func (b *Broker) findPools(ctx context.Context) ([]*pool, error) {
	prefix := b.names.stream("q") + "_"
	var found []*pool
	streams := b.js.ListStreams(ctx, jetstream.WithStreamListSubject(b.names.subject("q", ">")))
	for info := range streams.Info() {
		if name := info.Config.Metadata["pool"]; name != "" && strings.HasPrefix(info.Config.Name, prefix) {
			found = append(found, b.entry(name))
		}
	}
	if err := streams.Err(); err != nil && !errors.Is(err, jetstream.ErrEndOfData) {
		return nil, unavailable(err)
	}
	return found, nil
}
