package jetstream

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// Cancel implements broker.Ledger.
func (b *Broker) Cancel(ctx context.Context, id string) (err error) {
	defer func() { err = b.cause(err) }()
	if err := b.closed(); err != nil {
		return err
	}
	ctx, cancel := b.bound(ctx)
	defer cancel()
	for range 2 {
		_, err := b.finished(ctx, id)
		if err == nil {
			return broker.ErrFinished
		}
		if !errors.Is(err, broker.ErrNotFound) {
			return err
		}
		q, err := b.find(ctx, id)
		switch {
		case errors.Is(err, broker.ErrNotFound):
			continue // it may just have got its result
		case err != nil:
			return err
		case q.state != task.StateRunning:
			err = b.end(ctx, q, &task.Result{
				Task: q.message.Task, Status: task.Cancelled, Err: &task.Error{Kind: task.KindCancelled, Message: "cancelled before it was started"},
			})
			if err != nil {
				return err
			}
		default:
			if err := b.intend(ctx, q); err != nil {
				return err
			}
		}
		// Somebody may have leased it this very moment, too.
		if err := b.nc.Publish(b.names.subject("x", "cancel", token(id)), []byte(id)); err != nil {
			return unavailable(err)
		}
		return nil
	}
	return broker.ErrNotFound
}

// end gives a task that waits its result and takes it out of its queue. broker.ErrFinished if it has one.
func (b *Broker) end(ctx context.Context, q *queued, r *task.Result) error {
	h := q.message.History
	r.Attempts, r.Started, r.Queued = h.Attempts, h.Starts, time.Since(q.message.Submitted)
	data, err := b.encodeResult(&q.message, r)
	if err != nil {
		return err
	}
	id := q.message.Task.ID
	errs := b.publish(ctx, []outgoing{{subject: b.names.result(id), data: data}})
	if errs != nil && !errors.Is(errs[0], errExists) {
		return errs[0]
	}
	if err := b.remove(ctx, q.stream, q.seq); err != nil {
		return err
	}
	for _, p := range b.everyPool() {
		p.discard(id)
	}
	if b.engine == nil {
		_ = b.nc.Publish(b.names.subject("x", "over", token(id)), []byte(id)) // a result that comes late is refused
	}
	b.unmarkDelayed(q.message.Pool, id)
	if errs != nil {
		return broker.ErrFinished
	}
	b.freeUnique(ctx, &q.message)
	b.forget(q.message.Pool, id)
	b.waiters.tell(id, r)
	return nil
}

// noticesHeld is how many notices may wait for a slow reader before one that waits is dropped.
const noticesHeld = 4096

// Notices implements broker.Queue.
func (b *Broker) Notices(ctx context.Context) (<-chan broker.Notice, error) {
	if err := b.closed(); err != nil {
		return nil, err
	}
	heard := make(chan *nats.Msg, noticesHeld)
	sub, err := b.nc.ChanSubscribe(b.names.subject("x", "cancel", "*"), heard)
	if err == nil {
		err = b.nc.FlushTimeout(b.cfg.Timeout)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	notices := make(chan broker.Notice)
	b.work.Go(func() {
		defer close(notices)
		defer func() { _ = sub.Unsubscribe() }() // fails only if the connection is closed
		for {
			var m *nats.Msg
			select {
			case m = <-heard:
			case <-ctx.Done():
				return
			case <-b.ctx.Done():
				return
			}
			select {
			case notices <- broker.Notice{Cancel: string(m.Data)}:
			case <-ctx.Done():
				return
			case <-b.ctx.Done():
				return
			}
		}
	})
	return notices, nil
}
