package dispatch

import (
	"slices"
	"time"

	"github.com/brood-run/brood/ipc/wire"
	"github.com/brood-run/brood/supervisor/task"
)

// Take hands as many jobs to the worker as it has credit for, and says how many.
// The worker's writer calls it after each Wake until it returns 0.
func (l *Lane) Take(emit func([]wire.Execute)) int {
	l.send.Lock()
	defer l.send.Unlock()
	d := l.d
	d.mu.Lock()
	now := d.now()
	l.frames = l.frames[:0]
	if d.waking == l {
		d.waking = nil
	}
	l.takeSuspect(now)
	for n := l.credit(); n > 0; n-- {
		j := d.pop(now)
		if j == nil {
			break
		}
		l.put(j, now)
		if l.bytes >= maxPipeBytes && len(l.pipe) >= l.settings.Slots {
			break
		}
	}
	l.listIfIdle()
	l.checkWear()
	if d.waiting() > 0 && (len(l.frames) > 0 || !l.takes()) {
		d.offer() // what is left is for somebody else
	}
	d.admit()
	d.release()
	n := len(l.frames)
	if n > 0 {
		emit(l.frames)
	}
	clear(l.frames)
	return n
}

// credit is how many more jobs the worker may be given now.
func (l *Lane) credit() int {
	d := l.d
	if !l.takes() {
		return 0
	}
	slots := l.settings.Slots - len(l.pipe)
	n := min(l.window.Size()-len(l.pipe), d.queued)
	if d.active > 1 {
		// Reading ahead must not starve the other workers of this pool of more
		// than a moment's work.
		n = min(n, max((d.queued+d.active-1)/d.active, l.window.Fits(moment)-len(l.pipe)))
	}
	if l.bytes >= maxPipeBytes || l.recalling { // what is on its way back must not meet more
		n = 0
	}
	n = max(n, slots)
	if l.limit > 0 {
		n = min(n, l.limit-l.taken)
	}
	return n
}

// takes says whether the lane may be given jobs from the queue.
func (l *Lane) takes() bool {
	return l.active && !l.retired && !l.solo && l.d.reserved != l && (l.limit == 0 || l.taken < l.limit)
}

// takeSuspect gives an empty lane a job that has crashed a worker before. With several
// slots it runs alone, so that it cannot take innocent neighbours with it again. If no
// lane is empty, one is reserved: it empties while the others go on.
func (l *Lane) takeSuspect(now time.Duration) {
	d := l.d
	if len(d.suspects) == 0 || !l.takes() && d.reserved != l {
		return
	}
	if len(l.pipe) > 0 {
		if d.reserved == nil {
			d.reserved = l
			l.unidle()
		}
		return
	}
	if d.reserved == l {
		d.reserved = nil
	}
	j := d.suspects[0]
	d.suspects = slices.Delete(d.suspects, 0, 1)
	l.solo = true
	l.put(j, now)
	d.unreserve()
}

// unreserve lets the reserved lane take whatever there is if no suspect is left to empty it for.
func (d *Dispatcher) unreserve() {
	l := d.reserved
	if l == nil || len(d.suspects) > 0 {
		return
	}
	d.reserved = nil
	if l.listIfIdle(); d.queued > 0 {
		d.offer()
	}
}

// wanted says that there is something for the lane to take that is worth a write.
func (l *Lane) wanted() bool {
	d := l.d
	if d.reserved != l && d.queued > 0 && l.lowWater() {
		return true
	}
	return len(d.suspects) > 0 && (d.reserved == nil || len(l.pipe) == 0)
}

func (l *Lane) put(j *Job, now time.Duration) {
	d := l.d
	j.become(task.StateRunning)
	l.lastSeq++
	j.seq, j.lane, j.softSent, j.killed = l.lastSeq, l, false, false
	if len(l.pipe) == 0 {
		l.busy.Store(true)
	}
	l.pipe = append(l.pipe, j)
	l.bytes += len(j.Result.Task.Payload)
	l.taken++
	d.running++
	if len(l.pipe) <= l.settings.Slots {
		l.begin(j, now)
	} else {
		j.started = 0
		d.wakeClock(now + recallAfter)
	}
	t := &j.Result.Task
	l.frames = append(l.frames, wire.Execute{
		Seq: j.seq, Attempt: uint16(j.starts + 1), MaxAttempts: uint16(j.maxStarts()),
		SoftTimeout: millis(l.soft(j)), HardTimeout: millis(l.hard(j)),
		Name: t.Name, TaskID: t.ID, Meta: encodeMeta(t.Meta), Payload: t.Payload,
	})
}

// begin notes that a job's handler is taken to start now: it is among the first Slots
// in the pipe.
func (l *Lane) begin(j *Job, now time.Duration) {
	j.started, j.given = now, now
	if due := l.deadline(j); due < never {
		l.d.wakeClock(due)
	}
	l.d.publishStarted(j)
}
