package feed

import (
	"fmt"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/internal/dispatch"
	"github.com/brood-run/brood/supervisor/task"
)

// held is a leased task. What follows job is guarded by Feed.mu.
type held struct {
	feed *Feed
	job  dispatch.Job
	// lease is the last that was given for this task while it was here. It is guarded by Feed.mu
	// until the task has ended.
	lease *broker.Lease
	// result is the job's, or that of a task which never gets to the dispatcher.
	result *task.Result
	past   int // starts before it came here

	renewed   time.Time // when its lease was given or last extended
	gated     bool      // it counts among those that are through the gate
	submitted bool      // the dispatcher has it
	cancelled bool      // before the dispatcher had it
	lost      bool      // the lease is somebody else's by now
	small     bool      // its result was too large, and is another now
	over      bool      // it has ended here, and waits to be settled
	answered  bool      // with a result
}

// Finished implements dispatch.Owner.
func (h *held) Finished(*dispatch.Job) { h.feed.finished(h) }

// newHeld makes a lease ours.
func (f *Feed) newHeld(l *broker.Lease, now time.Time) *held {
	h := &held{feed: f, lease: l, past: l.History.Starts, renewed: now}
	t := l.Task
	if !l.Expires.IsZero() {
		t.Expires = max(l.Expires.Sub(l.Submitted), 1)
	}
	h.job.InitLeased(t, h, dispatch.Past{
		Waited: max(now.Sub(l.Submitted), 0), Starts: l.History.Starts, Crashes: l.History.Crashes,
		Attempts: l.History.Attempts,
	})
	h.result = &h.job.Result
	return h
}

// maxStarts is how often the task's handler may be started, all leases together.
func (h *held) maxStarts() int {
	o := &h.lease.Task.Options
	switch {
	case o.AtMostOnce:
		return 1
	case o.MaxAttempts > 0:
		return o.MaxAttempts
	default:
		return h.feed.cfg.MaxAttempts()
	}
}

// usedUp answers a task that must not be started again: whoever held it last went away without
// a word, and may have started it.
func (h *held) usedUp() bool {
	starts := h.lease.History.Starts
	if starts < h.maxStarts() {
		return false
	}
	h.result.Status = task.Dead
	h.result.Err = &task.Error{Kind: task.KindCrashed, Message: fmt.Sprintf(
		"the supervisor that held it went away, and may have been running it: %d of %d attempts are used up", starts, h.maxStarts())}
	return true
}

// uncertain says that nobody would know that the task has been started if this supervisor were
// killed now, and that it would matter.
func (h *held) uncertain() bool {
	return h.lease.Delivery > 1 || h.lease.History.Starts+1 >= h.maxStarts()
}

// history is what the next holder has to know.
func (h *held) history() broker.History {
	return broker.History{Starts: h.result.Started, Crashes: h.job.Crashes(), Attempts: h.result.Attempts}
}
