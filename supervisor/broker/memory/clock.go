package memory

import (
	"container/heap"
	"fmt"
	"time"

	"github.com/brood-run/brood/supervisor/task"
)

// minTick keeps many close times from waking the clock for each.
const minTick = time.Millisecond

// runClock acts when times come. It is the clock goroutine.
func (b *Broker) runClock() {
	defer b.timer.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-b.timer.C:
			b.tick()
		}
	}
}

// wake makes sure that the clock looks at or before due.
func (b *Broker) wake(due time.Duration) {
	if due < b.nextTick {
		b.nextTick = due
		b.timer.Reset(due - b.now())
	}
}

// tick does what is due and sets the time of the next look.
func (b *Broker) tick() {
	b.mu.Lock()
	defer b.release()
	if b.closed {
		return
	}
	now := b.now()
	for e := b.leases.Front(); e != nil && e.Value.(*item).lapses <= now; e = b.leases.Front() {
		b.lapse(e.Value.(*item), now)
	}
	for len(b.schedule) > 0 && b.schedule[0].due <= now {
		b.act(b.schedule[0], now)
	}
	for e := b.results.Front(); e != nil && e.Value.(*item).kept <= now; e = b.results.Front() {
		b.drop(e.Value.(*item))
	}
	b.nextTick = never
	b.wake(max(b.next(), now+minTick))
}

// next is when something is due.
func (b *Broker) next() time.Duration {
	next := never
	if e := b.leases.Front(); e != nil {
		next = min(next, e.Value.(*item).lapses)
	}
	if len(b.schedule) > 0 {
		next = min(next, b.schedule[0].due)
	}
	if e := b.results.Front(); e != nil {
		next = min(next, e.Value.(*item).kept)
	}
	return next
}

// act does what is due with an item that waits.
func (b *Broker) act(it *item, now time.Duration) {
	if it.expiry() <= now {
		b.finish(it, it.ended(task.Expired, task.KindExpired, fmt.Sprintf("not started until %s",
			it.msg.Expires.Format(time.RFC3339Nano))), now)
		return
	}
	it.pool.delayed--
	b.queue(it)
	b.plan(it)
	b.serve(it.pool, now)
}

// expiry is when an item that waits is dropped: never once it has been started.
func (it *item) expiry() time.Duration {
	if it.msg.History.Starts > 0 {
		return never
	}
	return it.expires
}

// plan puts an item into the schedule, or takes it out, as its state demands.
func (b *Broker) plan(it *item) {
	due := never
	switch it.place {
	case delayed:
		due = min(it.ready, it.expiry())
	case queued, blocked:
		due = it.expiry()
	case leased, finished:
	}
	switch {
	case due == never && it.index > 0:
		heap.Remove(&b.schedule, it.index-1)
	case due == never:
	case it.index > 0:
		it.due = due
		heap.Fix(&b.schedule, it.index-1)
	default:
		it.due = due
		heap.Push(&b.schedule, it)
	}
	b.wake(due)
}

// schedule is a heap of the items that something is going to happen to while they wait.
type schedule []*item

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].due < s[j].due }

func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].index, s[j].index = i+1, j+1
}

func (s *schedule) Push(x any) {
	it := x.(*item)
	*s = append(*s, it)
	it.index = len(*s)
}

func (s *schedule) Pop() any {
	n := len(*s) - 1
	it := (*s)[n]
	(*s)[n] = nil
	*s = (*s)[:n]
	it.index = 0
	return it
}
