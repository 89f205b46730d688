package dispatch

import (
	"bytes"
	"fmt"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor/internal/worker"
	"github.com/brood-run/brood/supervisor/task"
)

// Results settles the answers of one read. The slices in it are copied. An answer to a
// task that does not run there is an error: the worker lies.
func (l *Lane) Results(answers []worker.Answer) error {
	for i := range answers {
		if a := &answers[i]; a.Outcome == ipc.OutcomeCompleted {
			l.keep(a)
		}
	}
	d := l.d
	d.mu.Lock()
	d.finished = l.settled // empty, as every critical section leaves it
	defer func() { l.settled = d.release() }()
	now := d.now()
	var run time.Duration
	var bad error
	for i := range answers {
		if bad = l.settle(&answers[i], now); bad != nil {
			break
		}
		run += time.Duration(answers[i].RunNS)
	}
	l.window.Observe(run, len(answers))
	l.checkWear()
	if l.wanted() {
		l.worker.Wake()
	} else {
		l.listIfIdle()
	}
	d.admit()
	return bad
}

// keep copies a result. A frame may hold more than a result may have, for the texts beside it.
func (l *Lane) keep(a *worker.Answer) {
	if most := l.d.cfg.MaxResult; most > 0 && len(a.Payload) > most {
		a.Outcome = ipc.OutcomePermanent
		a.Message = fmt.Appendf(nil, "result of %d bytes is over the limit of %d", len(a.Payload), most)
		return
	}
	a.Payload = l.payloads.clone(a.Payload)
}

// lowWater says that enough of the window is free to be worth a write, while the worker
// still has enough to do until that arrives.
func (l *Lane) lowWater() bool {
	return len(l.pipe) < l.settings.Slots || len(l.pipe) <= l.window.Size()*3/4
}

func (l *Lane) settle(a *worker.Answer, now time.Duration) error {
	n := l.settings.Slots
	if a.Outcome == ipc.OutcomeUnstarted {
		n = len(l.pipe)
	}
	i := l.find(a.Seq, n)
	if i < 0 {
		return fmt.Errorf("worker answered task %d, which it was not running", a.Seq)
	}
	j := l.pipe[i]
	if a.Outcome == ipc.OutcomeUnstarted && j.cancelAt == 0 && !j.softSent {
		return fmt.Errorf("worker did not start task %d, which was not cancelled", a.Seq)
	}
	started := j.started
	l.remove(i, now)
	if a.Outcome == ipc.OutcomeUnstarted {
		l.taken--
		l.back(j, now)
		return nil
	}
	l.answered++
	j.starts++
	j.Result.Started = j.starts
	j.Result.Queued = started - j.submitted
	j.Result.Run = min(time.Duration(a.RunNS), now-j.submitted)
	l.d.answered(j, l.attempt(j, a), a, now)
	return nil
}

// attempt is the record of an answered attempt, or nil if none is wanted.
func (l *Lane) attempt(j *Job, a *worker.Answer) *task.Attempt {
	if a.Outcome == ipc.OutcomeCompleted && !l.d.cfg.RecordAttempts {
		return nil
	}
	rec := &task.Attempt{
		N: j.starts, Worker: l.worker.Name(), PID: l.worker.PID(), Outcome: outcomes[a.Outcome],
		Message: clip(a.Message), ExitCode: -1, PeakRSS: a.PeakRSS,
		CPU: time.Duration(a.CPUNS), Run: j.Result.Run,
		OutputTail: a.Output, Stack: clip(a.Stack),
	}
	if j.softSent && a.Outcome != ipc.OutcomeCompleted {
		rec.Outcome = task.OutcomeTimeout
		rec.Message = fmt.Sprintf("soft timeout after %v: %s", l.soft(j), a.Message)
	}
	return rec
}

// maxText bounds what a handler may say in an error or a stack, in bytes.
const maxText = 256 << 10

// clip keeps the beginning of a text that is too long, and says so.
func clip(text []byte) string {
	if len(text) <= maxText {
		return string(text)
	}
	return fmt.Sprintf("%s... (%d bytes in all)", bytes.ToValidUTF8(text[:maxText], nil), len(text))
}

var outcomes = [...]task.Outcome{
	ipc.OutcomeCompleted: task.OutcomeCompleted, ipc.OutcomeError: task.OutcomeError,
	ipc.OutcomePermanent: task.OutcomeError, ipc.OutcomeRetryAfter: task.OutcomeError,
	ipc.OutcomePanic: task.OutcomePanic, ipc.OutcomeCancelled: task.OutcomeCancelled,
	ipc.OutcomeUnknown: task.OutcomeError,
}

var kinds = map[task.Outcome]string{
	task.OutcomeError: task.KindError, task.OutcomePanic: task.KindPanic, task.OutcomeCrashed: task.KindCrashed,
	task.OutcomeTimeout: task.KindTimeout, task.OutcomeMemoryLimit: task.KindMemoryLimit,
	task.OutcomeHeartbeatLost: task.KindHeartbeatLost, task.OutcomeCancelled: task.KindCancelled,
	task.OutcomeBadFrame: task.KindBadFrame,
}

// answered decides what follows from a handler's answer.
func (d *Dispatcher) answered(j *Job, rec *task.Attempt, a *worker.Answer, now time.Duration) {
	if a.Outcome == ipc.OutcomeUnknown && d.forOthers(j) {
		return
	}
	if rec != nil {
		j.record(*rec)
	}
	switch a.Outcome {
	case ipc.OutcomeCompleted:
		j.Result.Payload = a.Payload
		d.end(j, task.StateCompleted, nil, now)
	case ipc.OutcomeUnknown:
		d.end(j, task.StateDead, &task.Error{Kind: task.KindUnknownTask, Message: rec.Message}, now)
	case ipc.OutcomePermanent:
		d.failed(j, rec, verdict{kind: task.KindPermanent, permanent: true}, now)
	case ipc.OutcomeRetryAfter:
		d.failed(j, rec, verdict{kind: task.KindError, after: time.Duration(a.RetryAfter) * time.Millisecond, chosen: true}, now)
	default:
		d.failed(j, rec, verdict{kind: kinds[rec.Outcome]}, now)
	}
}

// verdict is what matters of a failed attempt.
type verdict struct {
	kind      string
	permanent bool          // no retry can help
	crash     bool          // it ended its worker
	chosen    bool          // the handler chose the delay:
	after     time.Duration //
}

// failed decides between retry and dead letter.
func (d *Dispatcher) failed(j *Job, rec *task.Attempt, v verdict, now time.Duration) {
	if v.crash {
		j.crashes++
	}
	d.publishFailed(j, rec)
	e := &task.Error{Kind: v.kind, Message: rec.Message}
	switch {
	case j.cancelAt != 0:
		d.cancelled(j, now, "cancelled while it ran: "+rec.Message)
	case v.permanent || j.starts >= j.maxStarts():
		d.end(j, task.StateDead, e, now)
	case v.crash && j.crashes >= d.settings.MaxCrashes:
		e.Message = fmt.Sprintf("ended %d workers, the limit is %d: %s", j.crashes, d.settings.MaxCrashes, e.Message)
		d.end(j, task.StateDead, e, now)
	case !j.leased && (d.closed || j.abandoned):
		d.cancelled(j, now, "the supervisor stopped before its next attempt; the last one: "+rec.Message)
	default:
		d.retry(j, v, now)
	}
}

// retry puts a job back, or returns it: at once after its first crash, else after a delay.
func (d *Dispatcher) retry(j *Job, v verdict, now time.Duration) {
	delay := v.after
	switch {
	case v.chosen:
	case v.crash:
		delay = 0
		if j.crashes > 1 {
			delay = d.backoff(j.crashes - 1)
		}
	default:
		delay = d.backoff(j.starts)
	}
	j.become(task.StateRetrying)
	d.publishRetrying(j, delay)
	if j.leased {
		d.giveBack(j, max(delay, 0))
		return
	}
	if delay <= 0 {
		j.become(task.StateQueued)
		d.enqueue(j)
		return
	}
	j.due = now + delay
	d.delayed.push(j)
	d.wakeClock(j.due)
}

// end gives a job its one result.
func (d *Dispatcher) end(j *Job, s task.State, e *task.Error, now time.Duration) {
	j.become(s)
	r := &j.Result
	r.Err = e
	r.Status = statuses[s]
	if e != nil && e.Kind == task.KindUnknownTask {
		r.Status = task.Rejected
	}
	if r.Started == 0 {
		r.Queued = now - j.submitted
	}
	if r.Task.Expires > 0 {
		d.expiring--
	}
	if j.tracked {
		j.unread = true
		d.unread++
	}
	d.done++
	d.publishFinished(j)
	d.finished = append(d.finished, j)
	d.checkDrained()
}

var statuses = map[task.State]task.Status{
	task.StateCompleted: task.Completed, task.StateDead: task.Dead,
	task.StateCancelled: task.Cancelled, task.StateExpired: task.Expired,
}

func (d *Dispatcher) cancelled(j *Job, now time.Duration, why string) {
	d.end(j, task.StateCancelled, &task.Error{Kind: task.KindCancelled, Message: why}, now)
}

func (d *Dispatcher) expire(j *Job, now time.Duration) {
	why := fmt.Sprintf("not started within %v", j.Result.Task.Expires)
	if j.leased { // its time was set by the clock on the wall, and may have been over from the start
		why = "not started before its time to expire"
	}
	d.end(j, task.StateExpired, &task.Error{Kind: task.KindExpired, Message: why}, now)
}

// resolve fills in the name of a plugin's only handler and answers a task that no
// handler serves.
func (d *Dispatcher) resolve(j *Job, now time.Duration) bool {
	name := &j.Result.Task.Name
	if *name == "" && d.only != "" {
		*name = d.only
	}
	if *name == d.served && d.served != "" {
		return true
	}
	if d.handlers[*name] {
		d.served = *name
		return true
	}
	if !d.forOthers(j) {
		d.end(j, task.StateDead, &task.Error{Kind: task.KindUnknownTask, Message: d.unknown(*name)}, now)
	}
	return false
}

func millis(d time.Duration) uint32 {
	return uint32(min(max(d.Milliseconds(), 0), 1<<32-1))
}
