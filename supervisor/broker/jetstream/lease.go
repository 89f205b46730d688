package jetstream

import (
	"context"
	"errors"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

// Lease implements broker.Queue. While the server is out of reach it waits for it to come back.
func (b *Broker) Lease(ctx context.Context, name string, n int) ([]*broker.Lease, error) {
	if n < 1 {
		return nil, errors.New("jetstream: a lease of fewer than one task")
	}
	ctx, cancel := b.during(ctx)
	defer cancel()
	told := ""
	for {
		leases, err := b.lease(ctx, name, n)
		if err == nil || !errors.Is(err, broker.ErrUnavailable) || ctx.Err() != nil {
			return leases, b.reason(ctx, err)
		}
		if err = b.cause(err); told != err.Error() {
			told = err.Error()
			b.cfg.Logger.Warn("no tasks are leased", "pool", name, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil, b.reason(ctx, err)
		case <-time.After(leasePause):
		}
	}
}

// leasePause is how long a server is left alone that could not hand out tasks.
const leasePause = 500 * time.Millisecond

// during is a context that ends with the broker, too.
func (b *Broker) during(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(b.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// reason is why a call ended, given its error.
func (b *Broker) reason(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case b.closed() != nil:
		return broker.ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return err
}

func (b *Broker) lease(ctx context.Context, name string, n int) ([]*broker.Lease, error) {
	p, err := b.pool(ctx, name)
	if err != nil {
		return nil, err
	}
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.arrive()
	defer p.leave()
	leases, err := p.lease(ctx, n)
	if err != nil && b.engine == nil {
		// Others may have room for what has none here.
		p.giveBackAhead(b.ctx)
	}
	return leases, err
}

func (p *pool) lease(ctx context.Context, n int) ([]*broker.Lease, error) {
	for {
		if err := p.prepare(ctx); err != nil {
			return nil, err
		}
		claims, err := p.gather(ctx, n)
		if err != nil {
			return nil, err
		}
		claims, err = p.vet(ctx, claims)
		if err == nil {
			claims, err = p.enterShared(ctx, claims)
		}
		if err != nil {
			p.unget(claims)
			return nil, err
		}
		if len(claims) > 0 {
			p.b.held.add(claims)
			p.handedOut(claims)
			return leasesOf(claims), nil
		}
	}
}

func leasesOf(claims []*claim) []*broker.Lease {
	leases := make([]*broker.Lease, len(claims))
	for i, c := range claims {
		leases[i] = &c.lease
	}
	return leases
}

func (p *pool) arrive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = true
	for _, q := range p.levels {
		q.drained = false
	}
}

func (p *pool) leave() {
	p.mu.Lock()
	p.waiting, p.left = false, time.Now()
	p.mu.Unlock()
	<-p.turn
}

// gather waits until there is a message and takes up to n, in their order.
func (p *pool) gather(ctx context.Context, n int) ([]*claim, error) {
	for {
		p.mu.Lock()
		claims, busy, err := p.step(n)
		refused := len(p.refused) > 0
		p.mu.Unlock()
		if refused {
			p.refuse(ctx)
		}
		if len(claims) > 0 || err != nil || !busy {
			return claims, err
		}
		patience := time.NewTimer(p.patience())
		select {
		case <-p.wake:
		case <-patience.C:
		case <-ctx.Done():
		}
		patience.Stop()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// step takes what is there if that can be decided, otherwise it asks for more. It is not busy when the
// pool has to be prepared again. Requires mu.
func (p *pool) step(n int) (claims []*claim, busy bool, err error) {
	p.recall()
	if !p.ready {
		return nil, false, nil
	}
	if p.pausing {
		return nil, true, nil
	}
	asked, err := p.fill(n)
	if err != nil || asked {
		return nil, true, err
	}
	if claims = p.best(n); len(claims) > 0 {
		return claims, true, nil
	}
	return nil, true, p.ring(n)
}

// fill asks each level that may have more for as much as is missing of n messages. It says whether some
// level has not answered yet. Requires mu.
func (p *pool) fill(n int) (asked bool, err error) {
	for _, q := range p.levels {
		missing := n - len(q.buffer)
		switch {
		case q.denied != nil:
		case q.ringing: // nothing was there a moment ago
			if time.Since(q.heard) > 3*ringBeat {
				q.reset()
			}
		case q.expected > 0:
			if asked = true; time.Since(q.heard) > p.b.cfg.Timeout {
				q.reset()
			}
		case missing <= 0 || q.drained || len(q.buffer) > 0 && q.room() <= 0:
		case len(p.levels) == 1 && len(q.buffer) == 0: // saves a round trip when there is nothing
			if err := q.ring(missing, true); err != nil {
				return false, err
			}
		default:
			if err := q.fetch(missing); err != nil {
				return false, err
			}
			asked = true
		}
	}
	return asked, nil
}

// ring asks for what comes next. Of several levels it asks for one message each: what one level
// gets while another one's are taken would be kept from other supervisors. Requires mu.
func (p *pool) ring(n int) error {
	whole := len(p.levels) == 1 || n == 1
	if !whole {
		n = 1
	}
	for _, q := range p.levels {
		if q.ringing || q.denied != nil {
			continue
		}
		if err := q.ring(n, whole); err != nil {
			return err
		}
	}
	return nil
}

// patience is how long to wait for a signal before looking again: leases that lapse make room under
// concurrency keys, and tell nobody.
func (p *pool) patience() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.parked) > 0 {
		return min(slotPause, p.b.cfg.LeaseTime/4)
	}
	return ringBeat
}
