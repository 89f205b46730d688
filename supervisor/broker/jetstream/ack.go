package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/jetstream/storepb"
	"github.com/brood-run/brood/supervisor/task"
)

// What a consumer understands as an acknowledgement; an empty message is a plain one.
var (
	ackNak      = []byte("-NAK")
	ackProgress = []byte("+WPI")
	ackTerm     = []byte("+TERM")
)

// Ack implements broker.Queue. A result is stored before its task leaves the queue: should we die
// between the two, whoever leases the task next finds the result.
func (b *Broker) Ack(ctx context.Context, answers []broker.Answer) []error {
	if err := b.closed(); err != nil {
		return all(len(answers), err)
	}
	ctx, cancel := b.bound(ctx)
	defer cancel()
	claims := make([]*claim, len(answers))
	errs := make([]error, len(answers))
	out := make([]outgoing, 0, len(answers))
	index := make([]int, 0, len(answers))
	for i, a := range answers {
		c, err := claimOf(a.Lease)
		if err == nil && a.Result == nil {
			err = errors.New("jetstream: an answer has no result")
		}
		var data []byte
		if err == nil {
			data, err = b.encodeResult(&a.Lease.Message, a.Result)
		}
		if err != nil {
			errs[i] = err
			continue
		}
		claims[i] = c
		out = append(out, outgoing{subject: b.names.result(a.Lease.Task.ID), data: data})
		index = append(index, i)
	}
	for n, err := range b.publish(ctx, out) {
		errs[index[n]] = err
	}
	b.bury(ctx, answers, errs)
	for i := range answers {
		errs[i] = b.cause(b.settle(ctx, claims[i], answers[i].Result, errs[i]))
	}
	b.finish(ctx, claims, errs)
	b.forgetIntents(answers, errs)
	return sparse(errs)
}

// encodeResult is a result as it is stored: with its task's payload, if there is room for both.
func (b *Broker) encodeResult(m *broker.Message, r *task.Result) ([]byte, error) {
	s := toResult(m, r)
	return b.encodeLess(m.Task.ID, s, func() { s.Task.Payload = nil }, func() { bare(s.Attempts) })
}

// bury stores the letters of tasks that died and whose results are ours.
func (b *Broker) bury(ctx context.Context, answers []broker.Answer, errs []error) {
	var out []outgoing
	var index []int
	for i, a := range answers {
		if errs[i] != nil || !dies(a.Result) {
			continue
		}
		m, err := b.letter(&a.Lease.Message, a.Result)
		if err != nil {
			errs[i] = err
			continue
		}
		out = append(out, m)
		index = append(index, i)
	}
	for n, err := range b.publish(ctx, out) {
		errs[index[n]] = err
	}
}

// dies says that a task with this result goes to the dead letters.
func dies(r *task.Result) bool { return r.Status == task.Dead || r.Status == task.Rejected }

func (b *Broker) letter(m *broker.Message, r *task.Result) (outgoing, error) {
	result := toResult(m, r)
	result.Task.History = toHistory(m.History)
	letter := &storepb.Letter{Result: result, Died: stamp(time.Now())}
	// The payload matters most: without it, nobody could try again.
	data, err := b.encodeLess(m.Task.ID, letter, func() {
		bare(result.Attempts)
		bare(result.Task.GetHistory().GetAttempts())
	}, func() {
		result.Attempts, result.Task.History = nil, nil
		result.ErrorMessage = strings.ToValidUTF8(result.ErrorMessage[:min(len(result.ErrorMessage), spare/4)], "")
	})
	return outgoing{subject: b.names.letter(m.Pool, m.Task.ID), data: data}, err
}

// settle takes a task out of the queue once its result is stored, ours or another. Should this be lost, the
// task is leased again, and its result found.
func (b *Broker) settle(ctx context.Context, c *claim, r *task.Result, err error) error {
	switch {
	case c == nil:
		return err
	case errors.Is(err, errExists):
		return b.late(ctx, c)
	case err != nil:
		return err
	}
	b.waiters.tell(c.lease.Task.ID, r)
	if lost := b.nc.Publish(c.reply, nil); lost != nil {
		b.cfg.Logger.Warn("a task stays in its queue until it is leased again", "task", c.lease.Task.ID, "error", lost)
	}
	return nil
}

// late finishes a task whose result is there already: somebody else's, or ours, of a try that was thought
// lost and did not come to the rest.
func (b *Broker) late(ctx context.Context, c *claim) error {
	s, err := b.last(ctx, b.names.stream("r"), b.names.result(c.lease.Task.ID))
	if err == nil {
		err = b.conclude(ctx, c, s.data)
	}
	switch {
	case errors.Is(err, broker.ErrNotFound): // its time is over
		_ = b.nc.Publish(c.reply, nil)
	case err != nil:
		return err
	}
	return fmt.Errorf("%w: task %s", broker.ErrFinished, c.lease.Task.ID)
}

// finish lets go of what belonged to tasks that are done.
func (b *Broker) finish(ctx context.Context, claims []*claim, errs []error) {
	for i, c := range claims {
		switch {
		case c == nil || errs[i] != nil && !errors.Is(errs[i], broker.ErrFinished):
			continue
		case errs[i] == nil:
			b.freeUnique(ctx, &c.lease.Message)
		}
		b.freeSlot(ctx, c)
		if c.stored {
			b.forget(c.pool.name, c.lease.Task.ID)
		}
		b.over(c.lease.Task.ID)
		if owner := c.pool.b; owner != b {
			owner.over(c.lease.Task.ID)
		}
	}
}

// over forgets what is held of a task that has its result, by whatever lease.
func (b *Broker) over(id string) {
	if c := b.held.end(id); c != nil {
		b.gate.leave(&c.lease.Message)
	}
}

// sparse is nil if no error is in errs.
func sparse(errs []error) []error {
	for _, err := range errs {
		if err != nil {
			return errs
		}
	}
	return nil
}
