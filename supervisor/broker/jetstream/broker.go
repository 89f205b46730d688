package jetstream

import (
	"context"
	"errors"
	"fmt"
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
	others  *others // on the same server; nil for an embedded one

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	work    sync.WaitGroup
	closing sync.Once

	turnedDown chan struct{} // gets a value, if it has room, when a server turned us down for a level; see lost.go

	mu     sync.Mutex
	pools  map[string]*pool
	unable error // what the last look has found
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
	b := &Broker{session: s, held: newHoldings(), waiters: newWaiters(), gate: newGate(), pools: map[string]*pool{}, turnedDown: make(chan struct{}, 1)}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	if err := b.open(ctx); err != nil {
		_ = b.Close() // it fails for no reason of its own
		return nil, err
	}
	b.work.Go(b.keep)
	b.work.Go(b.lookAgain)
	b.work.Go(b.mendLevels)
	return b, nil
}

func (b *Broker) open(ctx context.Context) error {
	listen := func(context.Context) error { return b.listen() }
	for _, step := range []func(context.Context) error{b.makeStreams, b.openPools, listen, b.keepTime} {
		if err := b.soon(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// openTime is how long a server may be unavailable while a broker is opened: a cluster that has just begun, or
// has just lost a server, takes some time to find its leaders.
const openTime = 30 * time.Second

// soon does a step of opening, and tries again for a while if the server is unavailable.
func (b *Broker) soon(ctx context.Context, step func(context.Context) error) error {
	for began := time.Now(); ; {
		err := step(ctx)
		if err == nil || b.engine != nil || !errors.Is(err, broker.ErrUnavailable) || time.Since(began) > openTime {
			return err
		}
		b.cfg.Logger.Warn("the broker is not open yet", "server", b.where(), "error", err)
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
func (b *Broker) Health() error {
	if err := b.health(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.unable != nil && b.engine == nil {
		return fmt.Errorf("%s can be reached, and does not do as it should: %w", b.where(), b.unable)
	}
	return nil
}

// Close implements broker.Broker. What was read ahead and not leased goes back to its queue.
func (b *Broker) Close() error {
	b.closing.Do(func() {
		b.cancel()
		b.work.Wait()
		b.giveBackAll()
		b.close()
	})
	return nil
}

// closed is broker.ErrClosed after Close.
func (b *Broker) closed() error {
	if b.ctx.Err() != nil {
		return broker.ErrClosed
	}
	return nil
}
