package memory

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// Ack implements broker.Queue. A result is taken from whoever has it first, even if
// the lease has lapsed meanwhile.
func (b *Broker) Ack(_ context.Context, answers []broker.Answer) []error {
	b.mu.Lock()
	defer b.release()
	now := b.now()
	var errs batch
	for i, a := range answers {
		errs.add(i, len(answers), b.ack(a, now))
	}
	return errs
}

func (b *Broker) ack(a broker.Answer, now time.Duration) error {
	if err := b.usable(); err != nil {
		return err
	}
	it, ok := a.Lease.Token.(*item)
	if !ok {
		return fmt.Errorf("task %s was not leased from this broker: %w", a.Lease.Task.ID, broker.ErrLost)
	}
	if it.place == finished {
		return fmt.Errorf("task %s: %w", it.msg.Task.ID, broker.ErrFinished)
	}
	it.msg.History = copied(a.Lease.History)
	result := *a.Result
	result.Task.Tag = nil
	b.finish(it, &result, now)
	return nil
}

// Nack implements broker.Queue.
func (b *Broker) Nack(_ context.Context, l *broker.Lease, delay time.Duration) error {
	b.mu.Lock()
	defer b.release()
	it, err := b.holder(l)
	if err != nil {
		return err
	}
	now := b.now()
	it.msg.History = copied(l.History)
	b.giveBack(it, later(now, max(delay, 0)), now)
	return nil
}

// copied keeps what its holder does with a history afterwards out of the broker.
func copied(h broker.History) broker.History {
	h.Attempts = slices.Clone(h.Attempts)
	return h
}

// finish gives an item its one result, wherever it is.
func (b *Broker) finish(it *item, r *task.Result, now time.Duration) {
	was := it.place
	it.place, it.result = finished, r
	switch was {
	case leased:
		b.endLease(it)
		b.leave(it, now)
	case delayed:
		it.pool.delayed--
	case queued, blocked:
		it.pool.queued--
		b.passOver(it, was, now)
	}
	if b.unique[it.msg.UniqueKey] == it {
		delete(b.unique, it.msg.UniqueKey)
	}
	b.plan(it)
	b.keep(it, now)
	if r.Status == task.Dead || r.Status == task.Rejected {
		b.letters.add(it, b.cfg.DeadLimit)
	}
	b.tell(it)
}

// keep holds a result for its time.
func (b *Broker) keep(it *item, now time.Duration) {
	it.kept = later(now, b.cfg.ResultTTL)
	it.listed = b.results.PushBack(it)
	b.wake(it.kept)
	if b.results.Len() > b.cfg.ResultLimit {
		b.drop(b.results.Front().Value.(*item))
	}
}

// drop forgets a result.
func (b *Broker) drop(it *item) {
	b.results.Remove(it.listed)
	delete(b.items, it.msg.Task.ID)
}

// cancellation is the result of a task that was cancelled before anybody could answer.
func (it *item) cancellation() *task.Result {
	return it.ended(task.Cancelled, task.KindCancelled, "cancelled while it waited")
}

// ended is the result of a task that the broker ends itself.
func (it *item) ended(s task.Status, kind, message string) *task.Result {
	h := &it.msg.History
	return &task.Result{
		Task: it.msg.Task, Status: s, Err: &task.Error{Kind: kind, Message: message},
		Attempts: h.Attempts, Started: h.Starts, Queued: time.Since(it.msg.Submitted),
	}
}
