package dispatch

import (
	"time"

	"github.com/brood-run/brood/supervisor/task"
)

// Past is what has happened to a leased task before it came here.
type Past struct {
	Waited   time.Duration // since it was submitted
	Starts   int
	Crashes  int
	Attempts []task.Attempt
}

// InitLeased does what Init does for a task that is leased from a broker. Such a job is never kept
// for another attempt: it is returned instead, and so is one that waits when the
// dispatcher stops. Ask Returned after Finished.
func (j *Job) InitLeased(t task.Task, owner Owner, p Past) {
	j.Init(t, owner, false)
	j.leased = true
	j.submitted = -p.Waited // until it is accepted
	j.starts, j.crashes = p.Starts, p.Crashes
	j.Result.Started = p.Starts
	j.Result.Attempts = p.Attempts
}

// Returned says whether the job goes back to its broker, without a result, and after what
// delay it may be leased again.
func (j *Job) Returned() (delay time.Duration, ok bool) { return j.delay, j.returned }

// Crashes is how many workers the job has ended.
func (j *Job) Crashes() int { return j.crashes }

// SubmitLeased queues jobs whose leases are held. They need no room: who leases has seen to that.
// Those that are not wanted any more are returned.
func (d *Dispatcher) SubmitLeased(jobs []*Job) {
	d.mu.Lock()
	now := d.now()
	for _, j := range jobs {
		j.d = d
		j.submitted += now
		if j.Result.Task.Expires > 0 {
			d.expiring++
			d.wakeClock(max(now, j.submitted+j.Result.Task.Expires))
		}
		if d.closed || d.held {
			d.giveBack(j, 0)
			continue
		}
		d.enqueue(j)
		d.publishQueued(j)
	}
	d.release()
}

// Hold returns the leased jobs that have not started, and all that come until it is undone. Those
// that run go on.
func (d *Dispatcher) Hold(hold bool) {
	d.mu.Lock()
	d.held = hold
	if hold {
		d.returnWaiting()
		for l := range d.lanes {
			l.recall()
		}
	}
	d.release()
}

// Shed returns leased jobs that wait, so that no more than keep are left: this supervisor
// turned out to be slower than thought, and another may have time for them.
func (d *Dispatcher) Shed(keep int) {
	d.mu.Lock()
	d.shed(keep)
	d.release()
}

func (d *Dispatcher) shed(keep int) {
	d.queue.Filter(func(j *Job) bool {
		if j.state != task.StateQueued {
			return false
		}
		if !j.leased || keep > 0 {
			keep--
			return true
		}
		d.queued--
		d.giveBack(j, 0)
		return false
	})
}

func (d *Dispatcher) returnWaiting() {
	d.shed(0)
	suspects := d.suspects
	d.suspects = nil
	for _, j := range suspects {
		if j.leased {
			d.giveBack(j, 0)
		} else {
			d.suspects = append(d.suspects, j)
		}
	}
	d.unreserve()
}

// giveBack ends what a leased job has to do with this dispatcher, without a result.
func (d *Dispatcher) giveBack(j *Job, delay time.Duration) {
	j.returned, j.delay = true, delay
	if j.Result.Task.Expires > 0 {
		d.expiring--
	}
	d.finished = append(d.finished, j)
	d.checkDrained()
}

// othersPause is how long a task is left to others that no handler here serves.
const othersPause = 30 * time.Second

// forOthers returns a leased job that is for another version of the plugin; nothing of it has been started.
func (d *Dispatcher) forOthers(j *Job) bool {
	if !j.leased || !d.settings.Declared || j.cancelAt != 0 {
		return false
	}
	if name := j.Result.Task.Name; d.foreign != name {
		d.foreign = name
		d.cfg.Logger.Error("tasks are left in their queue that the plugin does not serve; they wait for one that does",
			"pool", d.cfg.Pool, "error", d.unknown(name), "correlation_id", j.Result.Task.ID)
	}
	if j.state == task.StateRunning {
		j.starts--
		j.Result.Started = j.starts
	}
	d.giveBack(j, othersPause)
	return true
}

// interrupted returns a leased job whose worker was killed because the supervisor stops: its
// attempt does not count, unless it must never be started again.
func (d *Dispatcher) interrupted(j *Job) bool {
	if !j.leased || j.cancelAt != 0 || j.Result.Task.AtMostOnce {
		return false
	}
	j.starts--
	j.Result.Started = j.starts
	d.giveBack(j, 0)
	return true
}
