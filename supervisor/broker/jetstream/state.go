package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/jetstream/storepb"
)

// Begin implements broker.Queue.
func (b *Broker) Begin(ctx context.Context, l *broker.Lease) (err error) {
	defer func() { err = b.cause(err) }()
	c, err := b.mine(l)
	if err != nil {
		return b.takeBack(ctx, l, err)
	}
	c.beginning.Store(true) // until the answer is known
	s := &storepb.State{History: toHistory(l.History), Leases: uint32(l.Delivery), Unseen: c.unseen, Begun: true}
	err = b.remember(ctx, c, s)
	if err == nil && b.engine == nil {
		err = b.unfinished(ctx, c)
	}
	c.beginning.Store(errors.Is(err, broker.ErrUnavailable))
	return err
}

// takeBack unsays that an attempt begins if that may have been stored, and the lease was lost before it could.
func (b *Broker) takeBack(ctx context.Context, l *broker.Lease, lost error) error {
	c, err := claimOf(l)
	if err != nil || !c.beginning.Load() || !errors.Is(lost, broker.ErrLost) {
		return lost
	}
	s := &storepb.State{History: toHistory(l.History), Leases: uint32(l.Delivery), Unseen: c.unseen}
	if err := b.remember(ctx, c, s); errors.Is(err, broker.ErrUnavailable) {
		return err
	}
	c.beginning.Store(false)
	c.wanted.Store(nil)
	return lost
}

// unfinished is broker.ErrLost if a task that is about to start has its result. When servers lose one of them, what it
// delivered last may be delivered once more as if for the first time: after somebody has ended the task, and
// its state is gone, too. That state goes after the result has come, so that one of the two is seen.
func (b *Broker) unfinished(ctx context.Context, c *claim) error {
	r, err := b.last(ctx, b.names.stream("r"), b.names.result(c.lease.Task.ID))
	switch {
	case errors.Is(err, broker.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	if err := b.conclude(ctx, c, r.data); err != nil {
		return err
	}
	return fmt.Errorf("%w: task %s has its result", broker.ErrLost, c.lease.Task.ID)
}

// Nack implements broker.Queue.
func (b *Broker) Nack(ctx context.Context, l *broker.Lease, delay time.Duration) (err error) {
	defer func() { err = b.cause(err) }()
	c, err := b.mine(l)
	if err != nil {
		return err
	}
	s := &storepb.State{History: toHistory(l.History), Leases: uint32(l.Delivery), Unseen: c.unseen}
	if delay > 0 {
		s.NotBefore = stamp(time.Now().Add(delay))
	}
	if err := b.remember(ctx, c, s); err != nil {
		return err
	}
	b.held.drop(c)
	if err := b.giveBack(ctx, c, delay); err != nil {
		// Its state is stored, so that it has been given back. Whether the server knows that it may be leased is not
		// known, and to say so again might take it from whoever has leased it meanwhile.
		b.cfg.Logger.Warn("a task that was given back may be leased again only when its lease lapses", "task", l.Task.ID, "error", err)
	}
	b.freeSlot(ctx, c)
	b.gate.leave(&l.Message)
	return nil
}

// giveBack returns a task to its queue. The server answers when it is there, so that who leases next gets it
// in its place.
func (b *Broker) giveBack(ctx context.Context, c *claim, delay time.Duration) error {
	ctx, cancel := b.bound(ctx)
	defer cancel()
	nak := ackNak
	if delay > 0 {
		nak = nakFor(delay)
		b.markDelayed(c, delay)
	}
	if _, err := b.nc.RequestWithContext(ctx, c.reply, nak); err != nil {
		return unavailable(err)
	}
	return nil
}

// nakFor gives a task back for a while.
func nakFor(delay time.Duration) []byte {
	return []byte("-NAK {\"delay\": " + strconv.FormatInt(int64(delay), 10) + "}")
}

// markDelayed has the server count a task between two attempts until its time has come. Only counting
// depends on it.
func (b *Broker) markDelayed(c *claim, delay time.Duration) {
	seconds := max(int64((delay+time.Second/2)/time.Second), 1)
	_ = b.nc.PublishMsg(&nats.Msg{
		Subject: b.names.subject("w", token(c.pool.name), token(c.lease.Task.ID)),
		Header:  nats.Header{"Nats-TTL": []string{strconv.FormatInt(seconds, 10)}},
	})
}

// unmarkDelayed has the server stop counting a task between two attempts.
func (b *Broker) unmarkDelayed(pool, id string) {
	_ = b.nc.PublishMsg(&nats.Msg{
		Subject: b.names.subject("w", token(pool), token(id)), Header: nats.Header{"Nats-TTL": []string{"1"}},
	})
}

// remember stores a task's state, unless somebody else has stored one since it was looked at for this claim:
// then the lease is lost. Two holders who each think that they are the only one cannot both begin.
func (b *Broker) remember(ctx context.Context, c *claim, s *storepb.State) error {
	ctx, cancel := b.bound(ctx)
	defer cancel()
	s.Author = c.write()
	data, err := b.encodeState(c, s)
	if err != nil {
		return err
	}
	for range 3 {
		seq, err := b.replace(ctx, b.names.state(c.pool.name, c.lease.Task.ID), data, c.state)
		if err == nil {
			c.state, c.stored = seq, true
			return nil
		}
		if !errors.Is(err, errExists) {
			return err
		}
		before := c.state
		known, err := b.stateOf(ctx, c)
		if err != nil {
			return err
		}
		if known != nil && known.GetAuthor() != c.author {
			c.state = before
			return broker.ErrLost
		}
		// It is the end of an earlier life of the task, or ours, of a try that was thought lost.
	}
	return unavailable(errors.New("the state of the task changes too quickly"))
}

func (b *Broker) encodeState(c *claim, s *storepb.State) ([]byte, error) {
	h := s.GetHistory()
	return b.encodeLess(c.lease.Task.ID, s, func() { bare(h.GetAttempts()) }, func() {
		s.History = &storepb.History{Starts: h.GetStarts(), Crashes: h.GetCrashes()}
	})
}

// forget has the server drop a task's state. It would drop it by itself, just later.
func (b *Broker) forget(pool, id string) {
	_ = b.nc.PublishMsg(&nats.Msg{
		Subject: b.names.state(pool, id), Header: nats.Header{"Nats-TTL": []string{"1"}},
	})
}

func readState(data []byte) (*storepb.State, error) {
	s := &storepb.State{}
	return s, proto.Unmarshal(data, s)
}

// mine returns the claim of a lease that is still the newest of its task, as far as can be known here.
func (b *Broker) mine(l *broker.Lease) (*claim, error) {
	if err := b.closed(); err != nil {
		return nil, err
	}
	c, err := claimOf(l)
	if err != nil {
		return nil, err
	}
	if !b.held.has(c) || c.lapsed() {
		return nil, broker.ErrLost
	}
	return c, nil
}

// Extend implements broker.Queue. A lease is extended once the server has said so: what is written to a
// connection may be going nowhere.
func (b *Broker) Extend(ctx context.Context, leases []*broker.Lease) []error {
	ctx, cancel := context.WithTimeout(ctx, min(b.cfg.Timeout, b.cfg.LeaseTime/4))
	defer cancel()
	errs := make([]error, len(leases))
	claims := make([]*claim, len(leases))
	var out []outgoing
	var index []int
	for i, l := range leases {
		if claims[i], errs[i] = b.mine(l); errs[i] == nil {
			out, index = append(out, outgoing{subject: claims[i].reply, data: ackProgress}), append(index, i)
		} else if c, err := claimOf(l); err == nil {
			c.want()
		}
	}
	at := time.Now()
	for n, err := range b.publish(ctx, out) {
		errs[index[n]] = err
	}
	for i, c := range claims {
		if errs[i] != nil {
			continue
		}
		c.renew(at)
		if err := b.renewSlot(c); err != nil {
			errs[i] = unavailable(err)
		}
	}
	return sparse(errs)
}
