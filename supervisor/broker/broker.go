package broker

import (
	"context"
	"time"

	"github.com/brood-run/brood/supervisor/task"
)

// Broker keeps tasks from their submission to their results. All methods may be called by any
// number of goroutines at once; all that may take time end early when their context does.
//
// An error that wraps ErrUnavailable means that the broker cannot be reached or cannot write
// just now, and that it is not known whether the call had an effect; every call can be
// repeated without harm.
type Broker interface {
	Queue
	Ledger
	DeadLetters
	Pools

	// Health is nil while the broker can be reached and can write.
	Health() error
	// Close lets go of everything. Leases that were not settled lapse. Idempotent.
	Close() error
}

// Queue hands tasks from submitters to supervisors.
type Queue interface {
	// Enqueue stores messages and returns an error for each, nil for what is stored; a nil
	// slice means that all are. It fills in Submitted where it is zero. What was stored
	// survives the process. Errors: ErrDuplicate, ErrFull, ErrUnavailable, and *HeldError for a
	// unique key that another task holds.
	Enqueue(ctx context.Context, messages []*Message) []error

	// Lease takes up to n messages of a pool, in the order of policy.Key within what the
	// broker can see at once, and waits until there is at least one. A paused pool has none.
	// Messages whose time to expire has come are leased as all others: the
	// caller answers them.
	Lease(ctx context.Context, pool string, n int) ([]*Lease, error)

	// LeaseTime is how long a lease lasts after it was given or extended. It is the same for
	// the life of the broker.
	LeaseTime() time.Duration

	// Extend renews leases. It returns an error for each, as Enqueue does: ErrLost for a
	// lease that is known to be somebody else's now. A holder that goes on with the task all the same says so by
	// calling it again and again: a broker that several share may leave the task to it.
	Extend(ctx context.Context, leases []*Lease) []error

	// Begin stores that the next attempt of a lease's task starts now, as Starts+1. Should the
	// lease lapse after that, the next one counts this attempt: in History.Starts, and with a
	// record of it (outcome crashed: its holder went away). Without Begin a first
	// delivery (Delivery is 1) that lapses counts as one attempt unless its message StartsOnce,
	// later ones as none: call Begin before every start but that of a first delivery, and
	// before that too if its message StartsOnce. ErrLost: it must not start, since it is somebody else's or
	// has its result.
	Begin(ctx context.Context, l *Lease) error

	// Ack stores results and ends their leases; a result of a task that has one already is
	// dropped, and its error wraps ErrFinished. A result whose status is dead or rejected goes
	// to the dead letters as well. It returns an error for each, as Enqueue does. Until it
	// has returned without ErrUnavailable, the lease goes on.
	Ack(ctx context.Context, answers []Answer) []error

	// Nack stores the lease's History and gives its task back, to be leased again after a
	// delay; 0 is at once.
	Nack(ctx context.Context, l *Lease, delay time.Duration) error

	// Notices tells a supervisor what concerns the tasks it holds, until ctx ends; then the
	// channel is closed. Each call returns a channel of its own, and each gets everything
	// from the time that Notices returned.
	Notices(ctx context.Context) (<-chan Notice, error)
}

// Ledger answers questions about single tasks.
type Ledger interface {
	// Get returns what is known of a task. ErrNotFound: it never was, or its result has
	// been dropped after its time.
	Get(ctx context.Context, id string) (Record, error)

	// OnResult calls f once, on another goroutine or before it returns, when the task's result
	// is there, which may be at once. f must not block. stop ends the wait; f may be
	// running when it returns. An id that is unknown is waited for too.
	OnResult(ctx context.Context, id string, f func(task.Result)) (stop func(), err error)

	// Cancel ends a task. One that waits gets its result (cancelled) at once; for one that is
	// leased, its holder gets a Notice. Should that holder give it back or lose it instead, it is not
	// leased again but gets its result then. Errors: ErrNotFound, ErrFinished.
	Cancel(ctx context.Context, id string) error
}

// DeadLetters are the tasks that did not make it, with their records, until somebody decides
// what becomes of them.
type DeadLetters interface {
	// Dead lists dead letters, the oldest first, after a cursor ("" is the beginning), at
	// most n. next is "" at the end. Pool "" is all pools.
	Dead(ctx context.Context, pool, after string, n int) (letters []DeadLetter, next string, err error)
	// DeadLetter returns one. ErrNotFound.
	DeadLetter(ctx context.Context, id string) (DeadLetter, error)
	// Revive queues a dead task again under its id, with its options and no history, and
	// removes the letter and the result. Errors as of Enqueue, and ErrNotFound.
	Revive(ctx context.Context, id string) error
	// Bury removes a dead letter; its result stays for its time. ErrNotFound.
	Bury(ctx context.Context, id string) error
}

// Pools are the queues by name.
type Pools interface {
	// Pause keeps a pool's tasks from being leased, by anybody, until it is resumed; it
	// survives the process. What is leased goes on.
	Pause(ctx context.Context, pool string, paused bool) error
	// Counts returns a pool's figures.
	Counts(ctx context.Context, pool string) (Counts, error)
}
