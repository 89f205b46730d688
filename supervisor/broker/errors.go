package broker

import (
	"errors"
	"fmt"
)

// Errors of a Broker.
var (
	// ErrDuplicate: a task with this id is queued, leased, or has a result.
	ErrDuplicate = errors.New("a task with this id exists")
	// ErrFull: the pool's queue holds as many tasks as it may.
	ErrFull = errors.New("queue is full")
	// ErrTooLarge: the broker does not take messages or results of this size.
	ErrTooLarge = errors.New("too large for the broker")
	// ErrUnavailable: the broker cannot be reached, or cannot write.
	ErrUnavailable = errors.New("broker is unavailable")
	// ErrLost: the lease is somebody else's, or its task has a result.
	ErrLost = errors.New("lease is lost")
	// ErrNotFound: nothing is known under this id.
	ErrNotFound = errors.New("not found")
	// ErrFinished: the task has its result.
	ErrFinished = errors.New("task has its result")
	// ErrClosed: the broker was closed.
	ErrClosed = errors.New("broker is closed")
)

// HeldError says that a unique key is taken.
type HeldError struct {
	Key    string
	Holder string // the id of the task that holds it
}

// Error implements error.
func (e *HeldError) Error() string {
	return fmt.Sprintf("unique key %q is held by task %s", e.Key, e.Holder)
}
