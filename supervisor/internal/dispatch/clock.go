package dispatch

import (
	"fmt"
	"math"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor/internal/worker"
	"github.com/brood-run/brood/supervisor/task"
)

const (
	never = time.Duration(math.MaxInt64)
	// recallAfter is how long a task runs before those behind it in the pipe are
	// asked back for other workers.
	recallAfter = 5 * time.Millisecond
	// expirySweep is how often waiting tasks are checked for their expiry.
	expirySweep = 100 * time.Millisecond
	// minTick keeps many close deadlines from waking the clock for each.
	minTick = time.Millisecond
)

// runClock acts on deadlines. It is the clock goroutine.
func (d *Dispatcher) runClock() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-d.stop:
			return
		case <-d.kick:
		case <-timer.C:
		}
		timer.Reset(d.tick())
	}
}

// wakeClock makes sure that the clock looks at or before due.
func (d *Dispatcher) wakeClock(due time.Duration) {
	if due >= d.nextTick {
		return
	}
	d.nextTick = due
	select {
	case d.kick <- struct{}{}:
	default:
	}
}

// tick does what is due and returns the time until the next look.
func (d *Dispatcher) tick() time.Duration {
	d.mu.Lock()
	now := d.now()
	next := d.promote(now)
	if d.expiring > 0 {
		d.sweepExpired(now)
		next = min(next, now+expirySweep)
	}
	for l := range d.lanes {
		next = min(next, l.watch(now))
	}
	d.admit()
	d.nextTick = max(next, now+minTick)
	wait := d.nextTick - now
	d.release()
	return wait
}

// promote queues the jobs whose delay is over and returns when the next one's is.
func (d *Dispatcher) promote(now time.Duration) time.Duration {
	for len(d.delayed) > 0 {
		if due := d.delayed[0].due; due > now {
			return due
		}
		j := d.delayed.pop()
		j.become(task.StateQueued)
		d.enqueue(j)
	}
	return never
}

func (d *Dispatcher) sweepExpired(now time.Duration) {
	d.queue.Filter(func(j *Job) bool {
		if j.state != task.StateQueued {
			return false
		}
		t := &j.Result.Task
		if t.Expires == 0 || now < j.submitted+t.Expires || j.starts > 0 {
			return true
		}
		d.queued--
		d.expire(j, now)
		return false
	})
}

// watch enforces the deadlines of a worker's running tasks, asks for those behind a slow
// one back, and returns when to look again.
func (l *Lane) watch(now time.Duration) time.Duration {
	next := never
	n := min(len(l.pipe), l.settings.Slots)
	longest := now
	for _, j := range l.pipe[:n] {
		longest = min(longest, j.started)
		l.enforce(j, now)
		next = min(next, l.deadline(j))
	}
	if len(l.pipe) > n && l.d.active > 1 && !l.recalling {
		if now-longest >= recallAfter {
			l.recall()
		} else {
			next = min(next, longest+recallAfter)
		}
	}
	return next
}

func (l *Lane) enforce(j *Job, now time.Duration) {
	if j.killed || now < l.deadline(j) {
		return
	}
	seq, w := j.seq, l.worker
	if !w.Started(seq) {
		l.postpone(j, now)
		return
	}
	switch {
	case l.hard(j) > 0 && now >= j.started+l.hard(j):
		j.killed = true
		why := fmt.Errorf("hard timeout after %v: worker was killed", l.hard(j))
		l.kill(func() { w.Dump(worker.ReasonHardTimeout, seq, why) })
	case j.cancelAt > 0 && now >= max(j.cancelAt, j.started)+l.settings.CancelGrace:
		j.killed = true
		l.kill(func() { w.Dump(worker.ReasonUncancellable, seq, nil) })
	case l.soft(j) > 0 && !j.softSent && now >= j.started+l.soft(j):
		j.softSent = true
		l.cancel(j, ipc.CauseSoftTimeout)
	}
}

// postpone moves a job's clock on: its worker has not entered the handler, so no time of it
// has passed. One that does not get to it at all is wedged, whatever its heart says.
func (l *Lane) postpone(j *Job, now time.Duration) {
	if now-j.given < l.settings.StallLimit+l.hard(j)+l.soft(j) {
		j.started = now
		return
	}
	w, why := l.worker, fmt.Errorf("worker did not start the task it was given %v ago and was killed", (now-j.given).Round(time.Millisecond))
	j.killed = true
	l.kill(func() { w.Dump(worker.ReasonHeartbeatLost, 0, why) })
}

// kill ends the worker; the lane takes nothing more.
func (l *Lane) kill(do func()) {
	l.retired = true
	l.unlist()
	l.d.actions = append(l.d.actions, do)
}
