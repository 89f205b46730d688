package event

import (
	"fmt"
	"time"
)

// TaskProgress: the handler told how far it is.
type TaskProgress struct {
	Time       time.Time
	Pool       string
	Task, Name string
	Worker     string
	Fraction   float64 // 0 to 1
	Message    string
}

// When implements Event.
func (e TaskProgress) When() time.Time { return e.Time }

// Kind implements Event.
func (TaskProgress) Kind() string { return "task_progress" }

// String implements Event.
func (e TaskProgress) String() string {
	return fmt.Sprintf("task %s (%s) on %s is at %.0f %%: %s", e.Task, e.Name, e.Worker, 100*e.Fraction, e.Message)
}

// TaskFinished: the task has its one result.
type TaskFinished struct {
	Time       time.Time
	Pool       string
	Task, Name string
	Status     string // completed, dead, cancelled, expired or rejected
	Message    string // why, unless it completed
	Attempts   int    // how often its handler was started
	Queued     time.Duration
	Run        time.Duration // of the last attempt
}

// When implements Event.
func (e TaskFinished) When() time.Time { return e.Time }

// Kind implements Event.
func (TaskFinished) Kind() string { return "task_finished" }

// String implements Event.
func (e TaskFinished) String() string {
	s := fmt.Sprintf("task %s (%s) is %s after %d starts", e.Task, e.Name, e.Status, e.Attempts)
	if e.Message != "" {
		s += ": " + e.Message
	}
	return s
}
