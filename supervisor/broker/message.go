package broker

import (
	"slices"
	"time"

	"github.com/brood-run/brood/supervisor/task"
)

// Message is a task in a broker.
type Message struct {
	// Task with ID and Name set. Tag is not kept, Expires is not looked at.
	Task task.Task
	// Pool whose workers run it.
	Pool string
	// Submitted is when it was accepted.
	Submitted time.Time
	// NotBefore keeps it from being leased before that time. Zero means at once.
	NotBefore time.Time
	// Expires is when it is of no use any more unless it has been started. Zero means never.
	// The broker itself ends a task that waits (status expired) within a second or so.
	Expires time.Time
	// UniqueKey lets at most one task with the same key exist that has no result. The key
	// is free again when that task has its result, or after UniqueTTL if that comes first;
	// 0 means not before. At most 256 bytes; empty means none.
	UniqueKey string
	UniqueTTL time.Duration
	// ConcurrencyKey lets at most ConcurrencyLimit tasks with the same key be leased at the
	// same time. At most 256 bytes; empty means none.
	ConcurrencyKey   string
	ConcurrencyLimit int
	// Fresh says that the id was made for this submission, so that nobody can have used it. It
	// saves looking for it; it is not kept.
	Fresh bool
	// History is what has happened before.
	History History
}

// StartsOnce says that the task has one attempt. Whoever holds it calls Begin before it starts, so that
// a lease that lapsed without that has not used the attempt up.
func (m *Message) StartsOnce() bool { return m.Task.AtMostOnce || m.Task.MaxAttempts == 1 }

// History is what became of earlier attempts.
type History struct {
	Starts   int            // how often the handler was started
	Crashes  int            // how many workers the task has ended
	Attempts []task.Attempt // the records of attempts that went wrong
}

// maxRecords bounds the attempts kept of one task: the first few and the last.
const maxRecords = 20

// Vanish counts an attempt whose holder went away without a word.
func (h *History) Vanish() {
	h.Starts++
	kept := slices.Clone(h.Attempts)
	if len(kept) >= maxRecords {
		kept = slices.Delete(kept, maxRecords/4, len(kept)-maxRecords+maxRecords/4+1)
	}
	h.Attempts = append(kept, task.Attempt{
		N: h.Starts, Outcome: task.OutcomeCrashed, ExitCode: -1,
		Message: "the supervisor that held the task went away, and may have been running it",
	})
}

// Lease is a message that is its holder's until it lapses.
type Lease struct {
	Message
	// Delivery is how often the message has been leased, this time included.
	Delivery int
	// Token is the broker's own.
	Token any
}

// Answer is the result of a leased task.
type Answer struct {
	Lease  *Lease
	Result *task.Result
}

// Record is what is known of a task.
type Record struct {
	Message Message
	// State is queued, running (leased), retrying (waiting after an attempt), or the final one.
	State task.State
	// Result is nil while there is none.
	Result *task.Result
}

// DeadLetter is a task that died, whole.
type DeadLetter struct {
	Message Message
	Result  task.Result
	Died    time.Time
}

// Notice concerns tasks that are leased.
type Notice struct {
	// Cancel is the id of a task whose cancellation was asked for; empty if it was not.
	Cancel string
}

// Counts are a pool's figures.
type Counts struct {
	Queued    int           // could be leased now
	Scheduled int           // wait for their time, or for their next attempt
	Leased    int           //
	Dead      int           // dead letters
	Oldest    time.Duration // how long the oldest queued task has waited
	Paused    bool
}
