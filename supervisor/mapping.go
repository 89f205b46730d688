package supervisor

import (
	"github.com/brood-run/brood/supervisor/internal/dispatch"
	"github.com/brood-run/brood/supervisor/task"
)

// mapItem is one task of a Map.
type mapItem struct {
	job        dispatch.Job
	m          *mapping
	prev, next *mapItem
	submitted  bool
	over       bool
}

// Finished implements dispatch.Owner.
func (it *mapItem) Finished(*dispatch.Job) {
	m := it.m
	m.mu.Lock()
	it.over = true
	m.bytes += len(it.job.Result.Payload)
	if !m.opt.Ordered {
		m.finished = append(m.finished, it)
	}
	m.mu.Unlock()
	poke(m.ready)
}

func (m *mapping) add(it *mapItem) {
	m.mu.Lock()
	defer m.mu.Unlock()
	it.prev = m.tail
	if m.tail == nil {
		m.head = it
	} else {
		m.tail.next = it
	}
	m.tail = it
}

func (m *mapping) each(do func(*mapItem)) {
	m.mu.Lock()
	var items []*mapItem
	for it := m.head; it != nil; it = it.next {
		if it.submitted && !it.over {
			items = append(items, it)
		}
	}
	m.mu.Unlock()
	for _, it := range items {
		do(it)
	}
}

// consume yields results until all are, or the caller has enough.
func (m *mapping) consume(yield func(task.Result) bool) {
	var batch []*mapItem
	for {
		var end bool
		batch, end = m.take(batch[:0])
		for i, it := range batch {
			r := it.job.Result
			batch[i] = nil
			if !yield(r) {
				return
			}
			m.yielded(&r)
		}
		switch {
		case end:
			return
		case len(batch) == 0:
			<-m.ready
		}
	}
}

// take removes what can be yielded now; end says that nothing more will come.
func (m *mapping) take(batch []*mapItem) (_ []*mapItem, end bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.opt.Ordered {
		for it := m.head; it != nil && it.over; it = m.head {
			m.unlink(it)
			batch = append(batch, it)
		}
	} else {
		for _, it := range m.finished {
			m.unlink(it)
		}
		batch = append(batch, m.finished...)
		clear(m.finished)
		m.finished = m.finished[:0]
	}
	return batch, m.exhausted && m.head == nil
}

func (m *mapping) unlink(it *mapItem) {
	if it.prev == nil {
		m.head = it.next
	} else {
		it.prev.next = it.next
	}
	if it.next == nil {
		m.tail = it.prev
	} else {
		it.next.prev = it.prev
	}
	it.prev, it.next = nil, nil
}

// yielded makes room for another task.
func (m *mapping) yielded(r *task.Result) {
	m.mu.Lock()
	m.count--
	m.bytes -= len(r.Task.Payload) + len(r.Payload)
	m.mu.Unlock()
	poke(m.room)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
