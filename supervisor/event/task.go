package event

import (
	"fmt"
	"time"
)

// TaskQueued: a task was accepted and waits for a worker.
type TaskQueued struct {
	Time       time.Time
	Pool       string
	Task, Name string // the task's id and its handler
}

// When implements Event.
func (e TaskQueued) When() time.Time { return e.Time }

// Kind implements Event.
func (TaskQueued) Kind() string { return "task_queued" }

// String implements Event.
func (e TaskQueued) String() string {
	return fmt.Sprintf("task %s (%s) is queued in pool %s", e.Task, e.Name, e.Pool)
}

// TaskStarted: a worker that is free for the task has it, and enters its handler next.
type TaskStarted struct {
	Time       time.Time
	Pool       string
	Task, Name string
	Worker     string
	PID        int
	Attempt    int // 1 for the first
}

// When implements Event.
func (e TaskStarted) When() time.Time { return e.Time }

// Kind implements Event.
func (TaskStarted) Kind() string { return "task_started" }

// String implements Event.
func (e TaskStarted) String() string {
	return fmt.Sprintf("task %s (%s) started on %s (pid %d), attempt %d", e.Task, e.Name, e.Worker, e.PID, e.Attempt)
}

// TaskAttemptFailed: an attempt ended in anything but an answer.
type TaskAttemptFailed struct {
	Time       time.Time
	Pool       string
	Task, Name string
	Worker     string
	PID        int
	Attempt    int
	Outcome    string // as in the attempt's record: error, crashed, timeout, ...
	Message    string // what happened, in a sentence
}

// When implements Event.
func (e TaskAttemptFailed) When() time.Time { return e.Time }

// Kind implements Event.
func (TaskAttemptFailed) Kind() string { return "task_attempt_failed" }

// String implements Event.
func (e TaskAttemptFailed) String() string {
	return fmt.Sprintf("task %s (%s), attempt %d on %s (pid %d): %s: %s",
		e.Task, e.Name, e.Attempt, e.Worker, e.PID, e.Outcome, e.Message)
}

// TaskRetrying: the task waits for its next attempt.
type TaskRetrying struct {
	Time       time.Time
	Pool       string
	Task, Name string
	Attempt    int           // the attempt to come
	Delay      time.Duration // until then
}

// When implements Event.
func (e TaskRetrying) When() time.Time { return e.Time }

// Kind implements Event.
func (TaskRetrying) Kind() string { return "task_retrying" }

// String implements Event.
func (e TaskRetrying) String() string {
	return fmt.Sprintf("task %s (%s) is tried again in %v, attempt %d", e.Task, e.Name, e.Delay, e.Attempt)
}

// TaskRecalled: the task was taken back unstarted from a worker's pipe and is
// queued again; it lost no attempt.
type TaskRecalled struct {
	Time       time.Time
	Pool       string
	Task, Name string
	Worker     string // that had it
}

// When implements Event.
func (e TaskRecalled) When() time.Time { return e.Time }

// Kind implements Event.
func (TaskRecalled) Kind() string { return "task_recalled" }

// String implements Event.
func (e TaskRecalled) String() string {
	return fmt.Sprintf("task %s (%s) was recalled from %s before it started", e.Task, e.Name, e.Worker)
}
