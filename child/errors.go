package child

import (
	"errors"
	"math"
	"time"

	"github.com/brood-run/brood/ipc"
)

// Causes of a cancelled task, as context.Cause of its context returns them.
var (
	// ErrSoftTimeout: the task ran longer than its soft timeout. It may still answer.
	ErrSoftTimeout = errors.New("soft timeout")
	// ErrCancelled: whoever submitted the task does not want it any more.
	ErrCancelled = errors.New("task cancelled")
	// ErrShutdown: the worker has to leave.
	ErrShutdown = errors.New("worker shuts down")
)

// causeError translates a cause on the wire; one that a newer supervisor invented
// is a plain cancellation.
func causeError(c ipc.Cause) error {
	switch c {
	case ipc.CauseSoftTimeout:
		return ErrSoftTimeout
	case ipc.CauseShutdown:
		return ErrShutdown
	default:
		return ErrCancelled
	}
}

// verdict is an error with the handler's word on what should follow.
type verdict struct {
	err     error
	outcome ipc.Outcome
	delay   time.Duration
}

func (v *verdict) Error() string { return v.err.Error() }
func (v *verdict) Unwrap() error { return v.err }

// Permanent marks an error as one that no retry can help. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &verdict{err: err, outcome: ipc.OutcomePermanent}
}

// RetryAfter marks an error as temporary and asks for the next attempt after d, in
// place of the supervisor's own delay. RetryAfter(nil, d) is nil.
func RetryAfter(err error, d time.Duration) error {
	if err == nil {
		return nil
	}
	return &verdict{err: err, outcome: ipc.OutcomeRetryAfter, delay: d}
}

// milliseconds rounds up, so that a small delay does not become none, and stays
// within what the wire carries, 49 days.
func milliseconds(d time.Duration) uint32 {
	d = min(max(d, 0), math.MaxUint32*time.Millisecond)
	return uint32((d + time.Millisecond - 1) / time.Millisecond)
}
