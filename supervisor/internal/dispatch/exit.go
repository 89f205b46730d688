package dispatch

import (
	"time"

	"github.com/brood-run/brood/supervisor/internal/worker"
	"github.com/brood-run/brood/supervisor/task"
)

// Exited takes the lane of a dead worker out of service. Jobs whose handler had
// started lose an attempt; the others go back to the queue at no cost.
func (l *Lane) Exited(e *worker.Exit) {
	d := l.d
	d.mu.Lock()
	now := d.now()
	delete(d.lanes, l)
	l.retired = true
	pipe := l.pipe
	l.pipe = nil
	for i, j := range pipe {
		d.running--
		j.lane = nil
		if i < l.settings.Slots && hadStarted(j, e) {
			e.Lost++
			d.lost(j, l.lastAttempt(j, e, now), e, now)
		} else {
			l.back(j, now)
		}
	}
	l.deactivate()
	d.admit()
	d.checkDrained()
	d.release()
}

// maxLosses is how often a worker may die with a task at hand that it says it had not
// started. More is no coincidence: the worker does not tell the truth, or dies of
// reading the task.
const maxLosses = 3

// hadStarted says whether a worker that died had entered a job's handler.
func hadStarted(j *Job, e *worker.Exit) bool {
	if !e.StartedKnown || j.seq <= e.Started {
		return true
	}
	if !e.Reason.Planned() {
		j.losses++
	}
	return j.losses >= maxLosses
}

// lastAttempt records how a worker's death ended a job's attempt.
func (l *Lane) lastAttempt(j *Job, e *worker.Exit, now time.Duration) *task.Attempt {
	j.starts++
	j.Result.Started = j.starts
	j.Result.Queued = j.started - j.submitted
	j.Result.Run = now - j.started
	a := &task.Attempt{
		N: j.starts, Worker: e.Worker, PID: e.PID, Outcome: deaths[e.Reason], Message: e.String(),
		Signal: e.Process.Signal, ExitCode: e.Process.Code, PeakRSS: e.PeakRSS, CPU: e.TaskCPU,
		Run: j.Result.Run, OutputTail: e.Output, Stack: e.Stack,
	}
	if a.Outcome == "" {
		a.Outcome = task.OutcomeCrashed
	}
	if e.Culprit != 0 && e.Culprit != j.seq {
		a.Outcome = task.OutcomeCrashed
		a.Message = "ended by another task in its worker: " + a.Message
	}
	return a
}

var deaths = map[worker.Reason]task.Outcome{
	worker.ReasonBadFrame:      task.OutcomeBadFrame,
	worker.ReasonHeartbeatLost: task.OutcomeHeartbeatLost,
	worker.ReasonHardTimeout:   task.OutcomeTimeout,
	worker.ReasonHardMemory:    task.OutcomeMemoryLimit,
	worker.ReasonUncancellable: task.OutcomeCancelled,
	worker.ReasonShutdown:      task.OutcomeCancelled,
}

// lost decides what follows when a worker died while a job ran in it.
func (d *Dispatcher) lost(j *Job, a *task.Attempt, e *worker.Exit, now time.Duration) {
	if e.Reason == worker.ReasonShutdown && d.interrupted(j) {
		return
	}
	j.record(*a)
	switch {
	case e.Reason != worker.ReasonShutdown:
	case j.leased && j.cancelAt == 0: // whoever looks after the dead decides what becomes of it
		d.end(j, task.StateDead, &task.Error{Kind: task.KindCancelled, Message: "the supervisor stopped while it ran, and it must not be started twice"}, now)
		return
	default:
		d.cancelled(j, now, "the supervisor stopped while it ran")
		return
	}
	d.failed(j, a, verdict{kind: kinds[a.Outcome], crash: true}, now)
}
