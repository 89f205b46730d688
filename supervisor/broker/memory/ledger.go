package memory

import (
	"container/list"
	"context"
	"fmt"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// find returns a task that is not forgotten.
func (b *Broker) find(id string) (*item, error) {
	if err := b.usable(); err != nil {
		return nil, err
	}
	it := b.items[id]
	if it == nil {
		return nil, fmt.Errorf("task %s: %w", id, broker.ErrNotFound)
	}
	return it, nil
}

// Get implements broker.Ledger.
func (b *Broker) Get(_ context.Context, id string) (broker.Record, error) {
	b.mu.Lock()
	defer b.release()
	it, err := b.find(id)
	if err != nil {
		return broker.Record{}, err
	}
	rec := broker.Record{Message: it.msg, State: it.state()}
	if it.result != nil {
		result := *it.result
		rec.Result = &result
	}
	return rec, nil
}

// OnResult implements broker.Ledger.
func (b *Broker) OnResult(_ context.Context, id string, f func(task.Result)) (stop func(), err error) {
	b.mu.Lock()
	defer b.release()
	if err := b.usable(); err != nil {
		return nil, err
	}
	if it := b.items[id]; it != nil && it.result != nil {
		result := *it.result
		b.calls = append(b.calls, func() { f(result) })
		return func() {}, nil
	}
	l := b.watchers[id]
	if l == nil {
		l = list.New()
		b.watchers[id] = l
	}
	e := l.PushBack(f)
	return func() { b.unwatch(id, l, e) }, nil
}

func (b *Broker) unwatch(id string, l *list.List, e *list.Element) {
	b.mu.Lock()
	defer b.release()
	l.Remove(e)
	if l.Len() == 0 && b.watchers[id] == l {
		delete(b.watchers, id)
	}
}

// tell gives a result to those who wait for it.
func (b *Broker) tell(it *item) {
	l := b.watchers[it.msg.Task.ID]
	if l == nil {
		return
	}
	delete(b.watchers, it.msg.Task.ID)
	result := *it.result
	for e := l.Front(); e != nil; e = e.Next() {
		f := e.Value.(func(task.Result))
		b.calls = append(b.calls, func() { f(result) })
	}
}

// Cancel implements broker.Ledger. A leased task that comes back after that, because its holder
// gave it back or lost it, is not leased again but cancelled.
func (b *Broker) Cancel(_ context.Context, id string) error {
	b.mu.Lock()
	defer b.release()
	it, err := b.find(id)
	switch {
	case err != nil:
		return err
	case it.place == finished:
		return fmt.Errorf("task %s: %w", id, broker.ErrFinished)
	case it.place == leased:
		it.cancelled = true
		b.notify(it)
	default:
		b.finish(it, it.cancellation(), b.now())
	}
	return nil
}
