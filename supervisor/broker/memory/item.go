package memory

import (
	"container/list"
	"math"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/internal/policy"
	"github.com/brood-run/brood/supervisor/task"
)

const never = time.Duration(math.MaxInt64)

// place is where an item is.
type place uint8

const (
	queued   place = iota // in its pool's queue
	blocked               // behind others with its concurrency key
	delayed               // until its time comes
	leased                //
	finished              // it has its result
)

// item is a task from its submission until its result is dropped. One that is finished may be left
// in a queue, where it is passed over: nothing brings it back.
type item struct {
	msg     broker.Message
	pool    *pool
	place   place
	key     int64         // its order in a queue
	ready   time.Duration // not to be leased before
	expires time.Duration // never if it does not
	unique  time.Duration // until then its unique key is its own

	due   time.Duration // when the clock has to look at it, while it is in the schedule
	index int           // there, from 1; 0 if it is not

	delivery  int
	begun     int // attempts as Begin has stored them under this lease; 0 if it has not
	lapses    time.Duration
	cancelled bool // that was asked for while it was leased

	result *task.Result
	kept   time.Duration // until then, once finished

	listed *list.Element // among the leases or the results
}

// newItem turns a message's times into durations.
func (b *Broker) newItem(m *broker.Message, now time.Duration) *item {
	it := &item{msg: *m, ready: now, expires: never, unique: never}
	it.msg.Task.Tag, it.msg.Fresh = nil, false
	if !m.NotBefore.IsZero() {
		it.ready = later(now, time.Until(m.NotBefore))
	}
	if !m.Expires.IsZero() {
		it.expires = later(now, time.Until(m.Expires))
	}
	if m.UniqueTTL > 0 {
		it.unique = later(now, m.UniqueTTL)
	}
	// So far away no order matters any more, and Key cannot overflow.
	const century = 100 * 365 * 24 * time.Hour
	age := min(max(m.Submitted.Sub(b.epoch), -century), century)
	it.key = policy.Key(int64(age), m.Task.Priority)
	return it
}

// later is now+d, or never if that is too far away.
func later(now, d time.Duration) time.Duration {
	if d > never-now {
		return never
	}
	return now + d
}

// state is what a Record says.
func (it *item) state() task.State {
	switch {
	case it.place == finished:
		return states[it.result.Status]
	case it.place == leased:
		return task.StateRunning
	case it.msg.History.Starts > 0:
		return task.StateRetrying
	}
	return task.StateQueued
}

var states = map[task.Status]task.State{
	task.Completed: task.StateCompleted, task.Dead: task.StateDead, task.Rejected: task.StateDead,
	task.Cancelled: task.StateCancelled, task.Expired: task.StateExpired,
}
