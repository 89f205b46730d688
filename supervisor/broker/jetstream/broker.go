package jetstream

import (
	"context"
	"sync"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

// Broker implements broker.Broker.
type Broker struct {
	*session
	held    *holdings
	waiters *waiters
	gate    *gate

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu    sync.Mutex
	pools map[string]*pool
}

var _ broker.Broker = (*Broker)(nil)

// Open starts the embedded server of cfg.Dir, or connects to cfg.URL, and makes what is not there yet.
// What a process that was killed had leased from an embedded server can be leased again at once.
func Open(ctx context.Context, cfg Config) (*Broker, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s, err := newSession(cfg)
	if err != nil {
		return nil, err
	}
	b := &Broker{session: s, held: newHoldings(), waiters: newWaiters(), gate: newGate(), pools: map[string]*pool{}}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	if err := b.open(ctx); err != nil {
		_ = b.Close() // it fails for no reason of its own
		return nil, err
	}
	b.work.Go(b.keep)
	return b, nil
}

func (b *Broker) open(ctx context.Context) error {
	if err := b.ensureSoon(ctx); err != nil {
		return err
	}
	if err := b.openPools(ctx); err != nil {
		return err
	}
	if err := b.listen(); err != nil {
		return err
	}
	return b.keepTime(ctx)
}

// ensureSoon makes the streams, and tries again for a while if that fails: a cluster that has just begun
// takes some time to find its servers.
func (b *Broker) ensureSoon(ctx context.Context) error {
	deadline := time.Now().Add(b.cfg.Timeout)
	for {
		err := b.ensure(ctx, b.streams()...)
		if err == nil || time.Until(deadline) <= 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(leasePause):
		}
	}
}

// LeaseTime implements broker.Queue.
func (b *Broker) LeaseTime() time.Duration { return b.cfg.LeaseTime }

// Health implements broker.Broker.
func (b *Broker) Health() error { return b.health() }

// Close implements broker.Broker. What was read ahead and not leased goes back to its queue.
func (b *Broker) Close() error {
	if b.ctx.Err() != nil {
		return nil
	}
	b.cancel()
	b.work.Wait()
	b.giveBackAll()
	b.close()
	return nil
}

// closed is broker.ErrClosed after Close.
func (b *Broker) closed() error {
	if b.ctx.Err() != nil {
		return broker.ErrClosed
	}
	return nil
}
