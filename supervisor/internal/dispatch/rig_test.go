package dispatch

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/policy"
	"github.com/brood-run/brood/supervisor/internal/pool"
	"github.com/brood-run/brood/supervisor/internal/worker"
	"github.com/brood-run/brood/supervisor/task"
)

// tb is what testing.T and rapid.T have in common and a rig needs.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// rig is a dispatcher with puppets for workers. It owns all jobs.
type rig struct {
	t       tb
	d       *Dispatcher
	jobs    map[string]*Job
	mu      sync.Mutex             // guards results: the clock ends jobs too
	results map[string]task.Result // by id, of the jobs that have ended
	puppets []*puppet              // alive
	serial  int
	demands int
	over    sync.Once
}

// settings are those that most tests want.
func settings() Config {
	return Config{
		Pool: "pool", QueueSize: 1000, ResultLimit: 1000, Workers: 1,
		Settings: Settings{
			Slots: 1, Window: 256, CancelGrace: 5 * time.Second, MaxAttempts: 3, MaxCrashes: 2,
			Backoff: policy.Backoff{Base: time.Second, Cap: time.Minute},
		},
		Logger: hclog.NewNullLogger(), Events: &event.Hub{},
	}
}

// bubble runs a test in fake time and checks that nothing is left at its end.
func bubble(t *testing.T, cfg Config, test func(t *testing.T, r *rig)) {
	t.Helper()
	bubbleWith(t, cfg, func(t *testing.T, r *rig) {
		test(t, r)
		r.close()
	})
}

// bubbleWith runs a test in fake time.
func bubbleWith(t *testing.T, cfg Config, test func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, cfg)
		t.Cleanup(r.abandon)
		test(t, r)
	})
}

func newRig(t tb, cfg Config) *rig {
	r := &rig{t: t, jobs: map[string]*Job{}, results: map[string]task.Result{}}
	cfg.Demand = func() { r.demands++ }
	cfg.Epoch = time.Now()
	r.d = New(cfg)
	return r
}

// close stops the dispatcher, has every worker leave, and looks for what is left.
func (r *rig) close() {
	r.t.Helper()
	drained := r.d.Stop()
	for len(r.puppets) > 0 {
		r.puppets[0].exit(&worker.Exit{Reason: worker.ReasonShutdown})
	}
	select {
	case <-drained:
	default:
		r.t.Fatalf("not drained: %+v", r.d.Counts())
	}
	r.abandon()
	for id := range r.jobs {
		if _, ok := r.results[id]; !ok {
			r.t.Errorf("task %s never ended", id)
		}
	}
	if c := r.d.Counts(); c.Queued != 0 || c.Running != 0 || c.Retrying != 0 || c.Done != uint64(len(r.jobs)) {
		r.t.Errorf("left after %d tasks: %+v", len(r.jobs), c)
	}
	if r.d.active != 0 || len(r.d.lanes)+len(r.d.idle)+len(r.d.standby) != 0 || r.d.expiring != 0 {
		r.t.Errorf("left: %d active lanes, %d lanes, %d idle, %d standby, %d expiring",
			r.d.active, len(r.d.lanes), len(r.d.idle), len(r.d.standby), r.d.expiring)
	}
}

// abandon ends the dispatcher's goroutine, also after a failure.
func (r *rig) abandon() {
	r.over.Do(func() {
		r.d.Stop()
		r.d.Close()
	})
}

// Finished implements Owner.
func (r *rig) Finished(j *Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := j.Result.Task.ID
	if _, ok := r.results[id]; ok {
		r.t.Fatalf("task %s ended twice", id)
	}
	r.results[id] = j.Result
}

// worker adds a ready worker that may do limit tasks, 0 for any number.
func (r *rig) worker(limit int) *puppet { return r.workerOf(r.d.source(r.d.cfg.Settings), limit) }

// workerOf adds one that was started with certain settings.
func (r *rig) workerOf(s *source, limit int) *puppet {
	r.serial++
	p := &puppet{rig: r, name: fmt.Sprintf("w%d", r.serial)}
	p.lane = s.newLane(p, limit, p.notify())
	r.puppets = append(r.puppets, p)
	p.lane.Ready(ipc.Ready{Tasks: []string{"x"}, SDK: "puppet"})
	return p
}

func (p *puppet) notify() pool.Notify {
	return pool.Notify{
		Wearing: func() { p.note(func() { p.wearing++ }) },
		Empty:   func() { p.note(func() { p.empty++ }) },
	}
}

// warm adds a worker whose window is open: it has done a short task.
func (r *rig) warm() *puppet {
	p := r.worker(0)
	id := "warm-" + p.name
	r.submit(id, task.Options{Priority: task.MaxPriority})
	if got := p.take(); len(got) == 0 || got[0] != id {
		r.t.Fatalf("%s took %v", p.name, got)
	}
	p.complete(id)
	return p
}

func (r *rig) job(id string, o task.Options) *Job {
	j := NewJob(task.Task{ID: id, Options: o}, r, false)
	r.jobs[id] = j
	return j
}

// submit queues a task that has room.
func (r *rig) submit(id string, o task.Options) *Job {
	r.t.Helper()
	j := r.job(id, o)
	if err := r.d.TrySubmit(j, time.Now()); err != nil {
		r.t.Fatalf("submit %s: %v", id, err)
	}
	return j
}

func (r *rig) submitAll(ids ...string) {
	r.t.Helper()
	for _, id := range ids {
		r.submit(id, task.Options{})
	}
}

// advance lets fake time pass and everybody act on it. What the test has seen so far
// happened before that, which the race detector would not know unless the lock was taken.
func (r *rig) advance(d time.Duration) {
	r.d.Counts()
	time.Sleep(d)
	synctest.Wait()
}

// ended returns the result of a task that has ended with that status.
func (r *rig) ended(id string, want task.Status) task.Result {
	r.t.Helper()
	synctest.Wait() // the clock may be about to end it
	r.mu.Lock()
	defer r.mu.Unlock()
	res, ok := r.results[id]
	if !ok {
		r.t.Fatalf("task %s has not ended: %v", id, r.jobs[id].state)
	}
	if res.Status != want {
		r.t.Fatalf("task %s is %s (%v), want %s", id, res.Status, res.Err, want)
	}
	if (res.Err == nil) != (want == task.Completed) {
		r.t.Errorf("task %s is %s with error %v", id, want, res.Err)
	}
	return res
}

// state checks where a task stands.
func (r *rig) state(id string, want task.State) {
	r.t.Helper()
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	if got := r.jobs[id].state; got != want {
		r.t.Fatalf("task %s is %v, want %v", id, got, want)
	}
}
