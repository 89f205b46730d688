package dispatch

import (
	"slices"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor/task"
)

// Cancel ends a job that was submitted without a result of its own: at once while it waits; if
// it runs, its handler is asked to return and its worker is killed if it does not.
func (j *Job) Cancel() {
	d := j.d
	d.mu.Lock()
	d.cancel(j)
	d.release()
}

func (d *Dispatcher) cancel(j *Job) {
	now := d.now()
	if j.returned {
		return
	}
	switch j.state {
	case task.StateQueued:
		if i := slices.Index(d.suspects, j); i >= 0 {
			d.suspects = slices.Delete(d.suspects, i, i+1)
			d.unreserve()
		} else {
			d.queued-- // it is dropped when its turn comes
		}
		d.cancelled(j, now, "cancelled before it was started")
		d.compact()
		d.admit()
	case task.StateRetrying:
		d.delayed.remove(j)
		d.cancelled(j, now, "cancelled before its next attempt")
		d.admit()
	case task.StateRunning:
		if j.cancelAt == 0 {
			j.cancelAt = now
			j.lane.cancel(j, ipc.CauseCancelled)
			d.wakeClock(now + j.lane.settings.CancelGrace)
		}
	}
}

// Abandon ends a job unless its handler runs: then it may finish, but is not tried again.
func (j *Job) Abandon() {
	d := j.d
	d.mu.Lock()
	j.abandoned = true
	if j.state != task.StateRunning || j.started == 0 {
		d.cancel(j)
	}
	d.release()
}

// compact drops ended jobs from the queue when they outnumber the waiting ones.
func (d *Dispatcher) compact() {
	if n := d.queue.Len(); n > 64 && n > 2*d.queued {
		d.queue.Filter(func(j *Job) bool { return j.state == task.StateQueued })
	}
}

func (l *Lane) cancel(j *Job, cause ipc.Cause) {
	seq := j.seq
	l.d.actions = append(l.d.actions, func() {
		l.send.Lock()
		defer l.send.Unlock()
		l.worker.Cancel(seq, cause)
	})
}

// deadline is when the clock must look at a running job next.
func (l *Lane) deadline(j *Job) time.Duration {
	due := never
	if j.started == 0 || j.killed {
		return due
	}
	if l.soft(j) > 0 && !j.softSent {
		due = min(due, j.started+l.soft(j))
	}
	if l.hard(j) > 0 {
		due = min(due, j.started+l.hard(j))
	}
	if j.cancelAt > 0 {
		due = min(due, max(j.cancelAt, j.started)+l.settings.CancelGrace)
	}
	return due
}
