package supervisor

import (
	"errors"
	"fmt"

	"github.com/brood-run/brood/supervisor/internal/dispatch"
)

// Errors of this package. What a task did wrong is not among them: that is its Result.
var (
	// ErrClosed: submitted after Stop or Close.
	ErrClosed = dispatch.ErrClosed
	// ErrQueueFull: TrySubmit found no room.
	ErrQueueFull = dispatch.ErrQueueFull
	// ErrNoPool: no pool serves a task of that name.
	ErrNoPool = errors.New("no pool serves this task")
	// ErrNoPoolNamed: there is no pool of that name. The message lists those there are.
	ErrNoPoolNamed = errors.New("there is no pool named")
	// ErrNoWorkerNamed: there is no worker of that name now. The message has it.
	ErrNoWorkerNamed = errors.New("there is no worker named")
	// ErrRolledBack: a pool goes on with its former settings. The error is a *ReloadError.
	ErrRolledBack = errors.New("reload was rolled back")
	// ErrNotStarted: submitted before Start.
	ErrNotStarted = errors.New("supervisor is not started")
	// ErrStarted: Start was called before.
	ErrStarted = errors.New("supervisor was started before")
	// ErrNoWorker: a pool's plugin cannot be started. The error is a *StartError.
	ErrNoWorker = errors.New("no worker could be started")
	// ErrIsolation: this machine does not permit the isolation, or a limit, that a pool asks for.
	ErrIsolation = errors.New("isolation is not possible here")
	// ErrConfig: New refused a Config. The message names the field.
	ErrConfig = errors.New("invalid config")
)

// StartError says why a pool has no worker.
type StartError struct {
	Pool string
	Err  error
}

// Error implements error.
func (e *StartError) Error() string {
	return fmt.Sprintf("pool %s: %v: %v", e.Pool, ErrNoWorker, e.Err)
}

// Unwrap lets errors.Is find ErrNoWorker and the cause.
func (e *StartError) Unwrap() []error { return []error{ErrNoWorker, e.Err} }

// ReloadError says why a pool goes on with its former settings.
type ReloadError struct {
	Pool string
	Err  error
}

// Error implements error.
func (e *ReloadError) Error() string {
	return fmt.Sprintf("pool %s: %v: %v", e.Pool, ErrRolledBack, e.Err)
}

// Unwrap lets errors.Is find ErrRolledBack and the cause.
func (e *ReloadError) Unwrap() []error { return []error{ErrRolledBack, e.Err} }
