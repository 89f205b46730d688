package dispatch

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
	"github.com/brood-run/brood/supervisor/internal/policy"
	"github.com/brood-run/brood/supervisor/internal/pool"
	"github.com/brood-run/brood/supervisor/internal/worker"
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

	settings *Settings // that its worker was started with; they do not change

	pipe      []*Job // unanswered, in the order of their seq; the first Slots run
	bytes     int    // payload bytes in pipe
	lastSeq   uint64
	taken     int // tasks handed out and not given back
	answered  uint64
	window    policy.Window
	idleSince time.Duration

	active    bool // counts against Dispatcher.workers
	retired   bool // takes no more
	idle      bool // is in Dispatcher.idle
	solo      bool // runs a suspect alone
	recalling bool
	behind    uint64 // the oldest task when recalling began
	worn      bool   // Notify.Wearing was called
	empty     bool   // Notify.Empty was called

	busy atomic.Bool // len(pipe) > 0; written under Dispatcher.mu, read by anybody

	frames   []wire.Execute // Take's; only its caller touches it
	settled  []*Job         // Results's; only its caller touches it
	payloads payloads       // the same
}

// Ready says that the worker can take tasks, and which it serves.
func (l *Lane) Ready(r ipc.Ready) {
	d := l.d
	d.mu.Lock()
	d.lanes[l] = true
	if d.handlers == nil {
		d.learn(r)
	}
	if !l.retired { // it was to leave before it had come
		d.slots = max(d.slots, l.settings.Slots)
		d.standby = append(d.standby, l)
		d.activate()
	}
	d.release()
}

// activate lets warm lanes take tasks while there are fewer than there are to be.
func (d *Dispatcher) activate() {
	for len(d.standby) > 0 && d.active-d.vacant() < d.workers {
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
	if l.d.waking == l {
		l.d.waking = nil
		if l.d.waiting() > 0 {
			l.d.offer()
		}
	}
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

// remove takes an answered or returned job out of the pipe.
func (l *Lane) remove(i int, now time.Duration) *Job {
	d := l.d
	j := l.pipe[i]
	switch {
	case len(l.pipe) == 1:
		l.pipe[0] = nil
		l.pipe = l.pipe[:0] // there is room again without a new one
	case i == 0:
		l.pipe[0] = nil
		l.pipe = l.pipe[1:]
	default:
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
	if k := l.settings.Slots; i < k && len(l.pipe) >= k {
		l.begin(l.pipe[k-1], now)
	}
	return j
}

func (l *Lane) listIfIdle() {
	if l.takes() && !l.idle && len(l.pipe) < l.settings.Slots {
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
		if l.retired {
			l.d.activate() // a slot may be free for good
		}
		return
	}
	if l.retired || l.limit > 0 && l.taken >= l.limit {
		l.empty = true
		l.deactivate()
		l.d.actions = append(l.d.actions, l.notify.Empty)
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
