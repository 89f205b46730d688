package dispatch

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor/broker/memory"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/policy"
	"github.com/brood-run/brood/supervisor/task"
)

// Errors of Submit.
var (
	ErrClosed    = errors.New("supervisor is closed")
	ErrQueueFull = errors.New("queue is full")
)

// Config is the part of a pool's settings that concerns tasks. All of it is set.
type Config struct {
	Pool        string
	Epoch       time.Time // zero of its clock
	QueueSize   int       // tasks waiting
	ResultLimit int       // results not read
	MaxResult   int       // bytes; 0: no limit
	Workers     int       // lanes that take tasks at the same time, until Source.Resize or Adopt
	Settings              // until Source.Adopt

	RecordAttempts bool

	Logger hclog.Logger
	Events *event.Hub
	// Demand is called when tasks wait and no worker is free. It must not block.
	Demand func()
}

// Settings are the part that another may take the place of while tasks run. All of it is set.
type Settings struct {
	// These go with a worker: a task has those of the lane it is in.
	Slots, Window            int
	SoftTimeout, HardTimeout time.Duration
	CancelGrace              time.Duration
	StallLimit               time.Duration // how long a worker may take to start a task it is free for

	// These go with the pool.
	MaxAttempts, MaxCrashes int
	Backoff                 policy.Backoff
	// Declared says that tasks of unknown names are refused when they are submitted: a leased one that no
	// handler serves is for another version of the plugin, which may come, or be elsewhere.
	Declared bool
}

// moment is how much work is not worth waking another worker for.
const moment = 100 * time.Microsecond

// Dispatcher owns a pool's tasks from Submit to their results.
type Dispatcher struct {
	cfg   Config
	debug bool // transitions are logged

	mu       sync.Mutex
	settings *Settings          // of the pool
	workers  int                // lanes that take tasks at the same time
	slots    int                // the most that a lane has had since the settings were adopted
	queue    memory.Queue[*Job] // may hold jobs that ended meanwhile; queued counts the others
	queued   int
	suspects []*Job // crashed a worker of several slots: each waits to run alone
	reserved *Lane  // takes nothing until it is empty, for a suspect's sake; nil if there is none
	delayed  delayed
	running  int // jobs in lanes
	expiring int // live jobs with an expiry
	tracked  jobList
	unread   int
	warned   bool // that nobody reads results
	closed   bool
	held     bool            // leased jobs are returned rather than queued
	latest   time.Duration   // when a job was last submitted
	finished []*Job          // ended in the current critical section
	actions  []func()        // to do after it
	waiters  []chan struct{} // submitters waiting for room, oldest first
	told     int             // waiters that were let in and have not come yet
	drained  chan struct{}   // closed when closed and empty
	handlers map[string]bool // what the plugin serves; nil until known
	only     string          // its only handler, if it has one
	served   string          // the name last found among handlers
	foreign  string          // the name last told of that is not among them
	lanes    map[*Lane]bool  // ready or draining
	active   int             // lanes that may take tasks
	standby  []*Lane         // warm, waiting for an active one to leave
	waking   *Lane           // was idle, has been woken and has not come for tasks yet
	idle     []*Lane         // active with a free slot and nothing to do; last in, first out
	nextTick time.Duration   // when the clock wakes up
	done     uint64          // jobs ended
	kick     chan struct{}   // clock: look again; written by all, read by the clock
	stop     chan struct{}   // clock: end
	clock    sync.WaitGroup
}

// New returns a running Dispatcher; Close it.
func New(cfg Config) *Dispatcher {
	d := &Dispatcher{
		cfg: cfg, debug: cfg.Logger.IsDebug(), settings: &cfg.Settings, workers: cfg.Workers, slots: cfg.Slots,
		drained: make(chan struct{}), lanes: map[*Lane]bool{},
		nextTick: never, kick: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	d.clock.Go(d.runClock)
	return d
}

func (d *Dispatcher) now() time.Duration { return time.Since(d.cfg.Epoch) + 1 } // never 0

// since is now at a time, which a caller has read already.
func (d *Dispatcher) since(at time.Time) time.Duration { return at.Sub(d.cfg.Epoch) + 1 }

// enqueue makes a new or returning job wait for a worker.
func (d *Dispatcher) enqueue(j *Job) {
	if d.slots > 1 && j.crashes > 0 {
		d.suspects = append(d.suspects, j)
	} else {
		p := j.Result.Task.Priority
		d.queue.Push(p, policy.Key(int64(j.submitted), p), j)
		d.queued++
	}
	d.offer()
}

// waiting is the number of jobs that could run now.
func (d *Dispatcher) waiting() int { return d.queued + len(d.suspects) }

// offer wakes a lane for one waiting job.
//
// A lane that is waking up already is left to do it, and the others to sleep, as long as all
// that waits is a moment's work: to wake a process costs more than a short task.
func (d *Dispatcher) offer() {
	if l := d.waking; l != nil && d.waiting() <= l.window.Fits(moment) && (len(d.suspects) == 0 || len(l.pipe) == 0) {
		return
	}
	if n := len(d.idle); n > 0 {
		i := n - 1
		if len(d.suspects) > 0 { // of which each needs a lane for itself
			if e := slices.IndexFunc(d.idle, func(l *Lane) bool { return len(l.pipe) == 0 }); e >= 0 {
				i = e
			}
		}
		l := d.idle[i]
		d.idle = slices.Delete(d.idle, i, i+1)
		l.idle = false
		d.waking = l
		l.worker.Wake()
		return
	}
	if d.active < d.workers && d.cfg.Demand != nil {
		d.actions = append(d.actions, d.cfg.Demand)
	}
}

// pop returns the next job to run, or nil. Jobs that ended while they waited are
// dropped, those past their expiry or with no handler are answered.
func (d *Dispatcher) pop(now time.Duration) *Job {
	for d.queued > 0 {
		j, _ := d.queue.Pop()
		if j.state != task.StateQueued {
			continue
		}
		d.queued--
		if j.Result.Task.Expires > 0 && now >= j.submitted+j.Result.Task.Expires && j.starts == 0 {
			d.expire(j, now)
			continue
		}
		if !d.resolve(j, now) {
			continue
		}
		return j
	}
	return nil
}

// release ends a critical section: it unlocks and then tells everybody what happened in it.
// It returns the list of what had finished, emptied, to be used again.
func (d *Dispatcher) release() []*Job {
	var jobs []*Job
	var actions []func()
	if len(d.finished) > 0 {
		jobs, d.finished = d.finished, nil
	}
	if len(d.actions) > 0 {
		actions, d.actions = d.actions, nil
	}
	d.mu.Unlock()
	for _, j := range jobs {
		j.owner.Finished(j)
	}
	for _, do := range actions {
		do()
	}
	clear(jobs)
	return jobs[:0]
}

func (d *Dispatcher) backoff(failures int) time.Duration {
	return d.settings.Backoff.Delay(failures, rand.Float64)
}
