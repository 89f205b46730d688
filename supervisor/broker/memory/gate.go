package memory

import (
	"slices"
	"time"
)

// gate lets a limited number of tasks with the same concurrency key be leased.
//
// Those over the limit are kept in lots, out of their pools' queues. Each time that a place becomes
// free, every lot in which it may be used gives one back to its queue. So a queue has at least as
// many as there are places, whichever pool takes first; what is too much comes back when
// somebody tries to lease it.
type gate struct {
	leased int
	lots   []*lot // none is empty
}

// lot is the tasks of one pool that wait at a gate under the same limit.
type lot struct {
	pool  *pool
	limit int
	queue Queue[*item]
	items int // of the queue, those that are still wanted
}

func (it *item) limit() int { return max(it.msg.ConcurrencyLimit, 1) }

// enter takes a place for an item that is to be leased, or makes it wait for one.
func (b *Broker) enter(it *item) bool {
	key := it.msg.ConcurrencyKey
	if key == "" {
		return true
	}
	g := b.gates[key]
	if g == nil {
		g = &gate{}
		b.gates[key] = g
	}
	if g.leased < it.limit() {
		g.leased++
		return true
	}
	l := g.lot(it)
	if l == nil {
		l = &lot{pool: it.pool, limit: it.limit()}
		g.lots = append(g.lots, l)
	}
	it.place = blocked
	l.queue.Push(it.msg.Task.Priority, it.key, it)
	l.items++
	return false
}

// leave gives an item's place free.
func (b *Broker) leave(it *item, now time.Duration) {
	if g := b.gates[it.msg.ConcurrencyKey]; g != nil {
		g.leased--
		b.admitNext(it.msg.ConcurrencyKey, g, now)
	}
}

// passOver is for an item that finished where it waited. It stays there to be passed over, as long as
// such items are not the most. It may have been the one that was to use a place.
func (b *Broker) passOver(it *item, was place, now time.Duration) {
	if p := it.pool; p.queue.Len() > 2*p.queued+fewStale {
		p.queue.Filter(isQueued)
	}
	g := b.gates[it.msg.ConcurrencyKey]
	if g == nil {
		return
	}
	if was == blocked {
		l := g.lot(it)
		l.items--
		if l.queue.Len() > 2*l.items+fewStale {
			l.queue.Filter(isBlocked)
		}
	}
	b.admitNext(it.msg.ConcurrencyKey, g, now)
}

// fewStale is how many items that are finished any queue may hold.
const fewStale = 64

// admitNext gives each lot's next task back to its queue if there is a place for it.
func (b *Broker) admitNext(key string, g *gate, now time.Duration) {
	var touched []*pool
	g.lots = slices.DeleteFunc(g.lots, func(l *lot) bool {
		if g.leased < l.limit && l.items > 0 {
			it := l.pop()
			it.place = queued
			it.pool.queue.Push(it.msg.Task.Priority, it.key, it)
			touched = append(touched, it.pool)
		}
		return l.items == 0
	})
	for _, p := range touched {
		b.serve(p, now)
	}
	if g.leased == 0 && len(g.lots) == 0 {
		delete(b.gates, key)
	}
}

// lot is where an item waits or would, nil if there is none yet.
func (g *gate) lot(it *item) *lot {
	i := slices.IndexFunc(g.lots, func(l *lot) bool { return l.pool == it.pool && l.limit == it.limit() })
	if i < 0 {
		return nil
	}
	return g.lots[i]
}

// pop returns the first that is still wanted; there is one.
func (l *lot) pop() *item {
	for {
		it, _ := l.queue.Pop()
		if it.place == blocked {
			l.items--
			return it
		}
	}
}
