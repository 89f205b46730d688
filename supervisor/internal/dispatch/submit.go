package dispatch

import (
	"context"
	"time"
)

// TrySubmit queues a job, or returns ErrQueueFull. The caller has read the clock: it is at.
func (d *Dispatcher) TrySubmit(j *Job, at time.Time) error {
	d.mu.Lock()
	if !d.closed && !d.room() {
		d.mu.Unlock()
		return ErrQueueFull
	}
	return d.accept(j, d.since(at))
}

// Submit queues a job. While there is no room it waits, or until ctx ends. The caller has read
// the clock: it is at.
func (d *Dispatcher) Submit(ctx context.Context, j *Job, at time.Time) error {
	now := d.since(at)
	d.mu.Lock()
	for !d.closed && !d.room() {
		d.warnUnread()
		w := make(chan struct{})
		d.waiters = append(d.waiters, w)
		d.mu.Unlock()
		select {
		case <-w:
			d.mu.Lock()
			d.told--
			now = d.now()
		case <-ctx.Done():
			d.giveUp(w)
			return context.Cause(ctx)
		}
	}
	return d.accept(j, now)
}

// accept ends the critical section of a submission that found room at the time now, which may
// be a little behind: other submitters were let in meanwhile.
func (d *Dispatcher) accept(j *Job, now time.Duration) error {
	if d.closed {
		d.mu.Unlock()
		return ErrClosed
	}
	j.d = d
	// Never before the one ahead of it: the queue takes what is older for work that returns.
	j.submitted = max(now, d.latest)
	d.latest = j.submitted
	if j.tracked {
		d.tracked.add(j)
	}
	if j.Result.Task.Expires > 0 {
		d.expiring++
		d.wakeClock(j.submitted + j.Result.Task.Expires)
	}
	d.enqueue(j)
	d.publishQueued(j)
	d.release()
	return nil
}

func (d *Dispatcher) room() bool {
	return d.waiting()+len(d.delayed)+d.told < d.cfg.QueueSize && d.unread+d.told < d.cfg.ResultLimit
}

// warnUnread tells once that submitters wait for somebody to read results: one who
// submits and reads in the same goroutine would wait for ever.
func (d *Dispatcher) warnUnread() {
	if d.warned || d.unread < d.cfg.ResultLimit {
		return
	}
	d.warned = true
	d.cfg.Logger.Warn("submitting waits until results are read (Wait, Collect, Discard); raise ResultLimit to hold more",
		"unread", d.unread)
}

// giveUp removes a waiter; if it had been told that there is room, the next one is.
func (d *Dispatcher) giveUp(w chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, x := range d.waiters {
		if x == w {
			d.waiters = append(d.waiters[:i], d.waiters[i+1:]...)
			return
		}
	}
	d.told--
	d.admit()
}

// admit lets as many submitters go on as there is room for.
func (d *Dispatcher) admit() {
	free := min(d.cfg.QueueSize-d.waiting()-len(d.delayed), d.cfg.ResultLimit-d.unread) - d.told
	for ; len(d.waiters) > 0 && (free > 0 || d.closed); free-- {
		d.told++
		close(d.waiters[0])
		d.waiters[0] = nil
		d.waiters = d.waiters[1:]
	}
}
