package dispatch

import (
	"time"

	"github.com/brood-run/brood/supervisor/task"
)

// Owner is told when its job has its result. Finished is called once, without
// locks held, and must not block.
type Owner interface {
	Finished(*Job)
}

// Job is a task on its way. Create it with NewJob; after Finished its Result may be read.
type Job struct {
	Result task.Result // Result.Task is the task from the start

	owner Owner

	// Guarded by Dispatcher.mu.
	d          *Dispatcher
	prev, next *Job  // in Dispatcher.tracked
	lane       *Lane // where it is, while running
	seq        uint64
	submitted  time.Duration // on the dispatcher's clock
	started    time.Duration // when its handler was taken to start; 0 while it waits in a pipe
	given      time.Duration // when its worker was free to start it
	due        time.Duration // while retrying
	cancelAt   time.Duration // when its cancellation was asked for; 0 is never
	starts     int
	crashes    int
	losses     uint8 // workers that died with it in the pipe, unstarted
	state      task.State
	tracked    bool // its unread result counts against ResultLimit
	unread     bool
	abandoned  bool // not to be tried again
	softSent   bool // this attempt was told of its soft timeout
	killed     bool // this attempt's worker is being killed for its sake

	leased   bool          // a broker keeps it: it is returned rather than tried again
	returned bool          // it has been
	delay    time.Duration // before it may be leased again
}

// NewJob wraps a validated task. A tracked job counts as unread from its end until
// Dispatcher.Read.
func NewJob(t task.Task, owner Owner, tracked bool) *Job {
	j := &Job{}
	j.Init(t, owner, tracked)
	return j
}

// Init does what NewJob does, for a Job that is part of a larger value.
func (j *Job) Init(t task.Task, owner Owner, tracked bool) {
	j.Result.Task = t
	j.owner = owner
	j.tracked = tracked
}

// Submitted is when the job was accepted, on the dispatcher's clock. The jobs of dispatchers with
// the same Epoch can be compared.
func (j *Job) Submitted() time.Duration { return j.submitted }

// Owner is who was named at Init.
func (j *Job) Owner() Owner { return j.owner }

func (j *Job) become(s task.State) {
	if !j.state.CanBecome(s) {
		panic("dispatch: task " + j.Result.Task.ID + " cannot go from " + j.state.String() + " to " + s.String())
	}
	j.state = s
}

// soft and hard are the timeouts that count, the job's or its worker's; 0 is none.
func (l *Lane) soft(j *Job) time.Duration {
	return pick(j.Result.Task.SoftTimeout, l.settings.SoftTimeout)
}
func (l *Lane) hard(j *Job) time.Duration {
	return pick(j.Result.Task.HardTimeout, l.settings.HardTimeout)
}

// maxStarts is how often its handler may be started.
func (j *Job) maxStarts() int {
	o := &j.Result.Task.Options
	switch {
	case o.AtMostOnce:
		return 1
	case o.MaxAttempts > 0:
		return o.MaxAttempts
	default:
		return j.d.settings.MaxAttempts
	}
}

func pick(own, other time.Duration) time.Duration {
	switch {
	case own < 0:
		return 0
	case own > 0:
		return own
	default:
		return other
	}
}

// maxRecords bounds the attempts kept of one task: the first few and the last.
const maxRecords = 20

func (j *Job) record(a task.Attempt) {
	as := &j.Result.Attempts
	if len(*as) == maxRecords {
		copy((*as)[maxRecords/4:], (*as)[maxRecords/4+1:])
		*as = (*as)[:maxRecords-1]
	}
	*as = append(*as, a)
}
