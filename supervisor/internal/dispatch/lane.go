package dispatch

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
	"github.com/brood-run/brood/supervisor/internal/policy"
	"github.com/brood-run/brood/supervisor/internal/pool"
	"github.com/brood-run/brood/supervisor/internal/worker"
	"github.com/brood-run/brood/supervisor/task"
)

// Worker is what a lane asks of the process behind it. None of its methods blocks.
type Worker interface {
	Name() string
	PID() int
	Wake()                              // have Take called soon
	Cancel(seq uint64, cause ipc.Cause) // send a Cancel frame
	Recall(seq uint64)                  // send a Recall frame
	// Started says whether a task's handler was entered, true if the worker does not tell.
	Started(seq uint64) bool
	// Dump ends the process for the sake of a task, its stacks first.
	Dump(reason worker.Reason, culprit uint64, detail error)
}

// maxPipeBytes bounds what is written ahead of a worker: what a pipe holds.
const maxPipeBytes = 64 << 10

// Lane is the dispatcher's side of one worker. Everything but send is guarded by
// Dispatcher.mu.
type Lane struct {
	d      *Dispatcher
	worker Worker
	notify pool.Notify
	limit  int        // tasks it may take in its life; 0 is any number
	send   sync.Mutex // orders frames: an Execute is in the buffer before its Cancel

	pipe      []*Job // unanswered, in the order of their seq; the first Slots run
	bytes     int    // payload bytes in pipe
	lastSeq   uint64
	taken     int // tasks handed out and not given back
	answered  uint64
	window    policy.Window
	idleSince time.Duration

	ready     bool
	active    bool // counts against Config.Workers
	retired   bool // takes no more
	idle      bool // is in Dispatcher.idle
	solo      bool // runs a suspect alone
	recalling bool
	worn      bool // Notify.Wearing was called
	empty     bool // Notify.Empty was called

	busy atomic.Bool // len(pipe) > 0; written under Dispatcher.mu, read by anybody

	frames []wire.Execute // Take's; only its caller touches it
}

// NewLane implements pool.Source.
func (d *Dispatcher) NewLane(w *worker.Worker, limit int, n pool.Notify) pool.Lane {
	return d.newLane(w, limit, n)
}

func (d *Dispatcher) newLane(w Worker, limit int, n pool.Notify) *Lane {
	return &Lane{
		d: d, worker: w, limit: limit, notify: n,
		window: policy.Window{Min: d.cfg.Slots, Max: max(d.cfg.Slots, d.cfg.Window)},
	}
}

// Ready says that the worker can take tasks, and which it serves.
func (l *Lane) Ready(r ipc.Ready) {
	d := l.d
	d.mu.Lock()
	l.ready = true
	d.lanes[l] = true
	if d.handlers == nil {
		d.handlers = map[string]bool{}
		for _, name := range r.Tasks {
			d.handlers[name] = true
		}
		if len(r.Tasks) == 1 {
			d.only = r.Tasks[0]
		}
	}
	d.standby = append(d.standby, l)
	d.activate()
	d.release()
}

// activate lets warm lanes take tasks while there are fewer than Config.Workers.
func (d *Dispatcher) activate() {
	for d.active < d.cfg.Workers && len(d.standby) > 0 {
		l := d.standby[0]
		d.standby = slices.Delete(d.standby, 0, 1)
		d.active++
		l.active = true
		l.idleSince = d.now()
		l.worker.Wake()
		d.wakeClock(l.idleSince + recallAfter) // a lane that was alone may have read ahead
	}
}

func (l *Lane) deactivate() {
	d := l.d
	if l.active {
		l.active = false
		d.active--
	}
	if i := slices.Index(d.standby, l); i >= 0 {
		d.standby = slices.Delete(d.standby, i, i+1)
	}
	l.unlist()
	d.activate()
}

func (l *Lane) unlist() {
	l.unidle()
	if l.d.reserved == l {
		l.d.reserved = nil
		if len(l.d.suspects) > 0 {
			l.d.offer()
		}
	}
}

func (l *Lane) unidle() {
	if l.idle {
		l.idle = false
		if i := slices.Index(l.d.idle, l); i >= 0 {
			l.d.idle = slices.Delete(l.d.idle, i, i+1)
		}
	}
}

// Take hands as many jobs to the worker as it has credit for, and says how many.
// The worker's writer calls it after each Wake until it returns 0.
func (l *Lane) Take(emit func(*wire.Execute)) int {
	l.send.Lock()
	defer l.send.Unlock()
	d := l.d
	d.mu.Lock()
	now := d.now()
	l.frames = l.frames[:0]
	l.takeSuspect(now)
	for n := l.credit(); n > 0; n-- {
		j := d.pop(now)
		if j == nil {
			break
		}
		l.put(j, now)
		if l.bytes >= maxPipeBytes && len(l.pipe) >= d.cfg.Slots {
			break
		}
	}
	l.listIfIdle()
	l.checkWear()
	d.admit()
	d.release()
	for i := range l.frames {
		emit(&l.frames[i])
	}
	n := len(l.frames)
	clear(l.frames)
	return n
}

// credit is how many more jobs the worker may be given now.
func (l *Lane) credit() int {
	d := l.d
	if !l.takes() {
		return 0
	}
	slots := d.cfg.Slots - len(l.pipe)
	n := min(l.window.Size()-len(l.pipe), d.queued)
	if d.active > 1 {
		// Reading ahead must not starve the other workers of this pool.
		n = min(n, (d.queued+d.active-1)/d.active)
	}
	if l.bytes >= maxPipeBytes {
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
}

// wanted says that there is something for the lane to take that is worth a write.
func (l *Lane) wanted() bool {
	d := l.d
	return d.queued > 0 && l.lowWater() || len(d.suspects) > 0 && (d.reserved == nil || d.reserved == l && len(l.pipe) == 0)
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
	if len(l.pipe) <= d.cfg.Slots {
		l.begin(j, now)
	} else {
		j.started = 0
		d.wakeClock(now + recallAfter)
	}
	t := &j.Result.Task
	l.frames = append(l.frames, wire.Execute{
		Seq: j.seq, Attempt: uint16(j.starts + 1), MaxAttempts: uint16(j.maxStarts),
		SoftTimeout: millis(j.soft), HardTimeout: millis(j.hard),
		Name: t.Name, TaskID: t.ID, Meta: encodeMeta(t.Meta), Payload: t.Payload,
	})
}

// begin notes that a job's handler is taken to start now: it is among the first Slots
// in the pipe.
func (l *Lane) begin(j *Job, now time.Duration) {
	j.started, j.given = now, now
	if due := j.deadline(); due < never {
		l.d.wakeClock(due)
	}
	l.d.publishStarted(j)
}

// remove takes an answered or returned job out of the pipe.
func (l *Lane) remove(i int, now time.Duration) *Job {
	d := l.d
	j := l.pipe[i]
	if i == 0 {
		l.pipe[0] = nil
		l.pipe = l.pipe[1:]
	} else {
		l.pipe = slices.Delete(l.pipe, i, i+1)
	}
	l.bytes -= len(j.Result.Task.Payload)
	j.lane = nil
	d.running--
	if len(l.pipe) == 0 {
		l.busy.Store(false)
		l.solo = false
		l.idleSince = now
	}
	if k := d.cfg.Slots; i < k && len(l.pipe) >= k {
		l.begin(l.pipe[k-1], now)
	}
	return j
}

func (l *Lane) listIfIdle() {
	if l.takes() && !l.idle && len(l.pipe) < l.d.cfg.Slots {
		l.idle = true
		l.d.idle = append(l.d.idle, l)
	}
}

// checkWear tells the pool when the lane is nearly or wholly used up.
func (l *Lane) checkWear() {
	if l.limit > 0 && !l.worn && l.taken >= l.limit-l.limit/10 {
		l.worn = true
		l.d.actions = append(l.d.actions, l.notify.Wearing)
	}
	if len(l.pipe) > 0 || l.empty {
		return
	}
	if l.retired || l.limit > 0 && l.taken >= l.limit {
		l.empty = true
		l.deactivate()
		l.d.actions = append(l.d.actions, l.notify.Empty)
	}
}

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
	if l.recalling || len(l.pipe) <= l.d.cfg.Slots {
		return
	}
	l.recalling = true
	seq := l.pipe[l.d.cfg.Slots].seq
	l.d.actions = append(l.d.actions, func() {
		l.send.Lock()
		defer l.send.Unlock()
		l.worker.Recall(seq)
	})
}

// Recalled takes jobs back that the worker had not started. An id that is not in the
// pipe is an error: the worker lies.
func (l *Lane) Recalled(ids []uint64) error {
	d := l.d
	d.mu.Lock()
	defer d.release()
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
	l.checkWear()
	if l.wanted() || l.credit() > 0 {
		l.worker.Wake()
	}
	return nil
}

// back returns a job that was not started to the queue, at no cost to it.
func (l *Lane) back(j *Job, now time.Duration) {
	d := l.d
	d.publishRecalled(j)
	switch {
	case j.cancelAt != 0:
		d.cancelled(j, now, "cancelled before it was started")
	case d.closed:
		d.cancelled(j, now, "the supervisor stopped before it was started")
	default:
		j.become(task.StateQueued)
		d.enqueue(j)
	}
}

// find returns the place of a task among the first n of the pipe, or -1.
func (l *Lane) find(seq uint64, n int) int {
	for i, j := range l.pipe[:min(n, len(l.pipe))] {
		if j.seq == seq {
			return i
		}
	}
	return -1
}
