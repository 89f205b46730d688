package jetstream

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/nats-io/nats.go"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// An intent is the cancellation of a task that is leased. Its holder is told; the intent is for whoever leases the
// task next, should the holder be gone. It names the task by its place in its queue, so that one which lives
// again under the same id is another.

func (n names) intent(id string) string { return n.subject("s", "=cancel", token(id)) }

// intend stores an intent.
func (b *Broker) intend(ctx context.Context, q *queued) error {
	seq := binary.BigEndian.AppendUint64(nil, q.seq)
	if errs := b.publish(ctx, []outgoing{{subject: b.names.intent(q.message.Task.ID), data: seq}}); errs != nil {
		return errs[0]
	}
	return nil
}

// forgetIntents has the server drop the intents that were followed. It would drop them by itself, just later.
func (b *Broker) forgetIntents(answers []broker.Answer, errs []error) {
	for i, a := range answers {
		if errs[i] == nil && a.Result.Status == task.Cancelled {
			b.forgetIntent(a.Lease.Task.ID)
		}
	}
}

func (b *Broker) forgetIntent(id string) {
	_ = b.nc.PublishMsg(&nats.Msg{Subject: b.names.intent(id), Header: nats.Header{"Nats-TTL": []string{"1"}}})
}

// intended says that a claim's task is to be cancelled, given its intent.
func (c *claim) intended(intent []byte) bool {
	return len(intent) == 8 && binary.BigEndian.Uint64(intent) == c.seq
}

// fulfil ends a task that its last holder should have cancelled. If that fails, the lease lapses, and it is tried again.
func (b *Broker) fulfil(ctx context.Context, c *claim) {
	m := c.lease.Message
	err := b.end(ctx, &queued{message: m, stream: c.pool.stream, seq: c.seq}, &task.Result{
		Task: m.Task, Status: task.Cancelled, Err: &task.Error{Kind: task.KindCancelled, Message: "cancelled, and not started again"},
	})
	if err != nil && !errors.Is(err, broker.ErrFinished) {
		b.cfg.Logger.Warn("a task that was cancelled stays in its queue for now", "task", m.Task.ID, "error", err)
		return
	}
	b.forgetIntent(m.Task.ID)
}
