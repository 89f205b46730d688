package memory

import (
	"context"
	"fmt"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

// Enqueue implements broker.Queue.
func (b *Broker) Enqueue(_ context.Context, messages []*broker.Message) []error {
	b.mu.Lock()
	defer b.release()
	now := b.now()
	var errs batch
	touched := map[*pool]struct{}{}
	for i, m := range messages {
		p, err := b.admit(m, now)
		if err == nil {
			touched[p] = struct{}{}
		}
		errs.add(i, len(messages), err)
	}
	for p := range touched {
		b.serve(p, now)
	}
	return errs
}

// admit stores one message.
func (b *Broker) admit(m *broker.Message, now time.Duration) (*pool, error) {
	if err := b.usable(); err != nil {
		return nil, err
	}
	if b.items[m.Task.ID] != nil {
		return nil, fmt.Errorf("task %s: %w", m.Task.ID, broker.ErrDuplicate)
	}
	if holder := b.unique[m.UniqueKey]; holder != nil && now < holder.unique {
		return nil, &broker.HeldError{Key: m.UniqueKey, Holder: holder.msg.Task.ID}
	}
	p := b.pool(m.Pool)
	if p.held() >= b.cfg.QueueSize {
		return nil, fmt.Errorf("pool %s holds %d tasks: %w", m.Pool, b.cfg.QueueSize, broker.ErrFull)
	}
	if m.Submitted.IsZero() {
		m.Submitted = time.Now()
	}
	it := b.newItem(m, now)
	it.pool = p
	b.items[m.Task.ID] = it
	if m.UniqueKey != "" {
		b.unique[m.UniqueKey] = it
	}
	b.wait(it, now)
	return p, nil
}

// wait puts an item where it waits to be leased.
func (b *Broker) wait(it *item, now time.Duration) {
	if it.ready > now {
		it.place = delayed
		it.pool.delayed++
	} else {
		b.queue(it)
	}
	b.plan(it)
}

func (b *Broker) queue(it *item) {
	it.place = queued
	it.pool.queued++
	it.pool.queue.Push(it.msg.Task.Priority, it.key, it)
}

// batch is the errors of a call that answers for each of several things; nil if all went well.
type batch []error

func (e *batch) add(i, n int, err error) {
	if err == nil {
		return
	}
	if *e == nil {
		*e = make(batch, n)
	}
	(*e)[i] = err
}
