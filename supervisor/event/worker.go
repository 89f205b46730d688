package event

import (
	"fmt"
	"time"
)

// WorkerStarting: a worker's process was started.
type WorkerStarting struct {
	Time   time.Time
	Pool   string
	Worker string
	PID    int
}

// When implements Event.
func (e WorkerStarting) When() time.Time { return e.Time }

// Kind implements Event.
func (WorkerStarting) Kind() string { return "worker_starting" }

// String implements Event.
func (e WorkerStarting) String() string {
	return fmt.Sprintf("worker %s (pid %d) is starting", e.Worker, e.PID)
}

// WorkerReady: a worker takes tasks.
type WorkerReady struct {
	Time   time.Time
	Pool   string
	Worker string
	PID    int
	Took   time.Duration // since its process was started
}

// When implements Event.
func (e WorkerReady) When() time.Time { return e.Time }

// Kind implements Event.
func (WorkerReady) Kind() string { return "worker_ready" }

// String implements Event.
func (e WorkerReady) String() string {
	return fmt.Sprintf("worker %s (pid %d) is ready after %v", e.Worker, e.PID, e.Took)
}

// WorkerDraining: a worker takes no new tasks and finishes what it runs.
type WorkerDraining struct {
	Time   time.Time
	Pool   string
	Worker string
	PID    int
	Reason string // why it ends: max_tasks, ttl, ...
}

// When implements Event.
func (e WorkerDraining) When() time.Time { return e.Time }

// Kind implements Event.
func (WorkerDraining) Kind() string { return "worker_draining" }

// String implements Event.
func (e WorkerDraining) String() string {
	return fmt.Sprintf("worker %s (pid %d) is draining: %s", e.Worker, e.PID, e.Reason)
}

// WorkerStopping: a worker was told to end or is being killed.
type WorkerStopping struct {
	Time   time.Time
	Pool   string
	Worker string
	PID    int
	Reason string
}

// When implements Event.
func (e WorkerStopping) When() time.Time { return e.Time }

// Kind implements Event.
func (WorkerStopping) Kind() string { return "worker_stopping" }

// String implements Event.
func (e WorkerStopping) String() string {
	return fmt.Sprintf("worker %s (pid %d) is stopping: %s", e.Worker, e.PID, e.Reason)
}

// WorkerExited: a worker's process is gone.
type WorkerExited struct {
	Time   time.Time
	Pool   string
	Worker string
	PID    int
	Reason string // why it ended
	Exit   string // how, for example "exit code 3" or "killed by SIGSEGV"
}

// When implements Event.
func (e WorkerExited) When() time.Time { return e.Time }

// Kind implements Event.
func (WorkerExited) Kind() string { return "worker_exited" }

// String implements Event.
func (e WorkerExited) String() string {
	return fmt.Sprintf("worker %s (pid %d) ended: %s, %s", e.Worker, e.PID, e.Reason, e.Exit)
}
