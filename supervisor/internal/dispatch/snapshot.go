package dispatch

import (
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/pool"
)

// Counts are the jobs of a dispatcher by where they stand.
type Counts struct {
	Queued, Running, Retrying, Unread int
	Done                              uint64
}

// Counts returns them as of now.
func (d *Dispatcher) Counts() Counts {
	d.mu.Lock()
	defer d.mu.Unlock()
	return Counts{Queued: d.waiting(), Running: d.running, Retrying: len(d.delayed), Unread: d.unread, Done: d.done}
}

// Busy implements pool.Lane.
func (l *Lane) Busy() bool { return l.busy.Load() }

// View returns what the lane is doing now.
func (l *Lane) View() pool.LaneView {
	d := l.d
	d.mu.Lock()
	defer d.mu.Unlock()
	v := pool.LaneView{InPipe: len(l.pipe), Answered: l.answered, Retired: l.retired}
	switch {
	case len(l.pipe) > 0:
		v.Task = l.pipe[0].Result.Task.ID
	case l.active:
		v.Idle = d.now() - l.idleSince
	}
	return v
}

// Label returns the task behind a seq in this lane's pipe, for the log.
func (l *Lane) Label(seq uint64) (id string, attempt int, ok bool) {
	d := l.d
	d.mu.Lock()
	defer d.mu.Unlock()
	i := l.find(seq, len(l.pipe))
	if i < 0 {
		return "", 0, false
	}
	j := l.pipe[i]
	return j.Result.Task.ID, j.starts + 1, true
}

// Running returns the seq of the oldest task in the pipe, 0 if there is none.
func (l *Lane) Running() uint64 {
	l.d.mu.Lock()
	defer l.d.mu.Unlock()
	if len(l.pipe) == 0 {
		return 0
	}
	return l.pipe[0].seq
}

// Progress publishes what a handler says of itself.
func (l *Lane) Progress(seq uint64, p ipc.Progress) {
	d := l.d
	if !d.cfg.Events.Active() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := l.find(seq, len(l.pipe)); i >= 0 {
		t := &l.pipe[i].Result.Task
		d.cfg.Events.Publish(event.TaskProgress{Time: time.Now(), Pool: d.cfg.Pool, Task: t.ID, Name: t.Name,
			Worker: l.worker.Name(), Fraction: p.Fraction, Message: p.Message})
	}
}

// Waiting says how many jobs could be given to a worker now.
func (d *Dispatcher) Waiting() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.waiting()
}
