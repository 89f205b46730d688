package dispatch

import (
	"fmt"
	"time"

	"github.com/brood-run/brood/supervisor/task"
)

// Retire gives the lane no more tasks. Notify.Empty follows when it has none left.
func (l *Lane) Retire() {
	d := l.d
	d.mu.Lock()
	if !l.retired {
		l.retired = true
		l.unlist()
		l.recall()
		l.checkWear()
	}
	d.release()
}

// recall asks for the jobs back that wait in the pipe behind the running ones.
func (l *Lane) recall() {
	if l.recalling || len(l.pipe) <= l.settings.Slots {
		return
	}
	l.recalling = true
	l.behind = l.pipe[0].seq
	seq := l.pipe[l.settings.Slots].seq
	l.d.actions = append(l.d.actions, func() {
		l.send.Lock()
		defer l.send.Unlock()
		l.worker.Recall(seq)
	})
}

// Recalled takes jobs back that the worker had not started. An id that is not in the
// pipe is an error, and so is an answer that nobody asked for: the worker lies.
func (l *Lane) Recalled(ids []uint64) error {
	d := l.d
	d.mu.Lock()
	defer d.release()
	if !l.recalling {
		// Believed, it would be given the same tasks for ever.
		return fmt.Errorf("worker gave back %d tasks that nobody asked for", len(ids))
	}
	l.recalling = false
	now := d.now()
	for _, id := range ids {
		i := l.find(id, len(l.pipe))
		if i < 0 {
			return fmt.Errorf("worker gave back task %d, which it did not have", id)
		}
		j := l.remove(i, now)
		l.taken--
		l.back(j, now)
	}
	l.slowedDown(now)
	if len(l.pipe) > l.settings.Slots {
		d.wakeClock(now + recallAfter)
	}
	l.checkWear()
	if l.wanted() || l.credit() > 0 {
		l.worker.Wake()
	} else {
		l.listIfIdle()
	}
	return nil
}

// slowedDown closes the window if the worker is still at the task behind which others were
// recalled: it would take back at once what it gives. A process that only waited for a
// processor answers that task before it gives others back, and keeps its window.
func (l *Lane) slowedDown(now time.Duration) {
	if len(l.pipe) > 0 && l.pipe[0].seq == l.behind {
		l.window.Observe(now-l.pipe[0].started, 1)
	}
}

// back returns a job that was not started to the queue, at no cost to it.
func (l *Lane) back(j *Job, now time.Duration) {
	d := l.d
	d.publishRecalled(j, l.worker)
	switch {
	case j.cancelAt != 0:
		d.cancelled(j, now, "cancelled before it was started")
	case j.leased && (d.closed || d.held):
		j.become(task.StateQueued)
		d.giveBack(j, 0)
	case d.closed:
		d.cancelled(j, now, "the supervisor stopped before it was started")
	default:
		j.become(task.StateQueued)
		d.enqueue(j)
	}
}
