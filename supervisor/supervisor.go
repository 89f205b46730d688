package supervisor

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/cgroup"
	"github.com/brood-run/brood/supervisor/internal/feed"
	"github.com/brood-run/brood/supervisor/internal/proc"
	"github.com/brood-run/brood/supervisor/task"
)

// Supervisor runs tasks in worker processes. Create it with New.
type Supervisor struct {
	cfg    Config
	aside  bool // it only looks at a plugin: what it says of itself is of little interest
	events event.Hub

	start  sync.Mutex             // held by Start, and by the beginning of Stop
	closed atomic.Bool            // no more is taken; written with start held
	roster atomic.Pointer[roster] // set by Start and by reloads

	reloading chan struct{}  // holds something while there is a reload; capacity 1
	reloads   sync.WaitGroup // its goroutine; added to with start held

	spawner  *proc.Spawner // set by Start before roster, and so is reaper
	reaper   *proc.Reaper
	brokered brokered
	draining atomic.Bool
	cgroups  *cgroup.Parent // nil if no pool has workers in cgroups
	scratch  *proc.Scratch  // nil where there is none

	stop sync.Once
	now  chan struct{} // closed when stopping has to be quick
	hard sync.Once
	done chan struct{} // closed when everything has ended
}

// roster is what Start has started. It does not change; a reload may put another in its place,
// with the same pools.
type roster struct {
	pools  []*plugin
	routes map[string]*plugin // by task name; nil with a single pool
}

// New returns a Supervisor that does nothing yet. The error wraps ErrConfig and names the
// field that is wrong.
func New(cfg Config) (*Supervisor, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &Supervisor{cfg: cfg, reloading: make(chan struct{}, 1), now: make(chan struct{}), done: make(chan struct{})}
	s.brokered.room = semaphore.NewWeighted(int64(cfg.ResultLimit))
	return s, nil
}

// Start starts the workers and returns without waiting for them: tasks may be submitted at
// once. A plugin that cannot be started is no error here but of WaitReady. The error wraps
// ErrIsolation if this machine does not permit what a pool asks for.
func (s *Supervisor) Start() error {
	s.start.Lock()
	defer s.start.Unlock()
	switch {
	case s.closed.Load():
		return ErrClosed
	case s.roster.Load() != nil:
		return ErrStarted
	}
	s.spawner = proc.NewSpawner()
	if err := s.isolate(context.Background()); err != nil {
		s.closeCgroups()
		s.spawner.Close()
		s.spawner = nil
		return err
	}
	s.warnOfGaps()
	s.scratch, _ = proc.NewScratch() // without it, a SIGKILL may leave an empty directory
	if s.cfg.ReapOrphans {
		var err error
		if s.reaper, err = proc.EnableReaper(s.spawner); err != nil {
			s.cfg.Logger.Warn("orphans of workers cannot be adopted; only process groups are killed", "error", err)
		}
	}
	r := s.recruit()
	s.roster.Store(r)
	for _, p := range r.pools {
		p.pool.Start()
		if p.feed != nil {
			p.feed.Start()
		}
	}
	return nil
}

// warnOfGaps says which limits this system can keep only in part.
func (s *Supervisor) warnOfGaps() {
	for i := range s.cfg.Pools {
		p := &s.cfg.Pools[i]
		if gap := p.Limits.internal().Gap(); gap != "" {
			s.cfg.Logger.Warn(gap, "pool", p.Name)
		}
	}
}

// recruit makes the pools.
func (s *Supervisor) recruit() *roster {
	var pools []*plugin
	epoch := time.Now()
	for i := range s.cfg.Pools {
		pools = append(pools, s.newPlugin(&s.cfg.Pools[i], epoch))
	}
	return newRoster(pools)
}

// newRoster finds out which pool serves which tasks. If several do, after reloads of which some
// were rolled back, the first does.
func newRoster(pools []*plugin) *roster {
	r := &roster{pools: pools}
	if len(pools) == 1 {
		return r
	}
	r.routes = map[string]*plugin{}
	for _, p := range slices.Backward(pools) {
		for _, t := range p.cfg.Load().Tasks {
			r.routes[t] = p
		}
	}
	return r
}

// WaitReady waits until each pool has had a worker that takes tasks. If a plugin cannot be
// started it returns a *StartError, which wraps ErrNoWorker and says why: at once if no
// retry can help (the file is missing, not executable, of another architecture), after
// three failed starts otherwise. The pool goes on trying all the same.
func (s *Supervisor) WaitReady(ctx context.Context) error {
	r, err := s.running()
	if err != nil {
		return err
	}
	for _, p := range r.pools {
		select {
		case <-p.pool.Up():
		case <-p.pool.GaveUp():
			if !p.pool.IsUp() { // it may have come up since
				return &StartError{Pool: p.name, Err: p.pool.StartError()}
			}
		case <-s.done:
			return ErrClosed
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (s *Supervisor) running() (*roster, error) {
	if s.closed.Load() {
		return nil, ErrClosed
	}
	r := s.roster.Load()
	if r == nil {
		return nil, ErrNotStarted
	}
	return r, nil
}

// pools returns the pools, also after Stop; none before Start.
func (s *Supervisor) pools() []*plugin {
	if r := s.roster.Load(); r != nil {
		return r.pools
	}
	return nil
}

// route finds the pool for a task submitted at a time and completes the task.
func (s *Supervisor) route(t *task.Task, at time.Time) (*plugin, error) {
	if err := t.Validate(s.cfg.MaxPayload); err != nil {
		return nil, err
	}
	if t.ID == "" {
		t.ID = newID(at)
	}
	r, err := s.running()
	if err != nil {
		return nil, err
	}
	if r.routes == nil {
		return r.pools[0], nil
	}
	if p := r.routes[t.Name]; p != nil {
		return p, nil
	}
	if t.Name == "" {
		return nil, fmt.Errorf("%w: it has no name, and there are %d pools", ErrNoPool, len(r.pools))
	}
	return nil, fmt.Errorf("%w: %q", ErrNoPool, t.Name)
}

// Events subscribes to what happens to tasks and workers. A subscriber that does not keep up
// loses events, which are counted; nobody waits for it.
func (s *Supervisor) Events(buffer int) *event.Subscription { return s.events.Subscribe(buffer) }

// Stop ends the supervisor in two phases. It takes no more tasks and cancels those that
// wait; running ones get GracePeriod, or until ctx ends, then their workers are killed.
// When it returns, every task has its result and every process and goroutine is
// gone. With Config.Broker, tasks are not cancelled but given back: what waits, and what runs when its
// time is over, has lost no attempt. The error is ctx's cause if ctx cut it short. Safe to call more than once.
func (s *Supervisor) Stop(ctx context.Context) error {
	s.begin()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		s.hurry()
		<-s.done
		return context.Cause(ctx)
	}
}

// Close is Stop without a grace period: running tasks are cancelled and their workers
// killed. Idempotent; it always returns nil.
func (s *Supervisor) Close() error {
	s.begin()
	s.hurry()
	<-s.done
	return nil
}

func (s *Supervisor) begin() {
	s.stop.Do(func() {
		s.start.Lock()
		s.closed.Store(true)
		s.start.Unlock()
		go s.shutdown()
	})
}

func (s *Supervisor) hurry() { s.hard.Do(func() { close(s.now) }) }

// lastGrace is how long workers without a task may take to leave when stopping has to
// be quick.
const lastGrace = time.Second

// shutdown ends everything, senders before receivers: tasks, workers, the spawner, events.
func (s *Supervisor) shutdown() {
	defer close(s.done)
	defer s.events.Close()
	if s.spawner == nil {
		return
	}
	s.eachFeed((*feed.Feed).Stop)
	var drained []<-chan struct{}
	s.eachPool(func(p *plugin) { drained = append(drained, p.tasks.Stop()) })
	if !s.awaitTasks(drained) {
		s.eachPool((*plugin).kill)
	}
	s.eachPool(func(p *plugin) { p.pool.Stop() })
	s.awaitPools()
	s.reloads.Wait()
	s.closeFeeds()
	s.brokered.leave()
	s.eachPool(func(p *plugin) { p.tasks.Close() })
	if err := s.reaper.Close(); err != nil {
		s.cfg.Logger.Warn(err.Error())
	}
	s.spawner.Close()
	s.scratch.Close()
	s.closeCgroups()
}

// awaitTasks waits until no task is left; false if some are when their time is over. Workers
// without a task are not killed even if stopping has to be quick: they leave by themselves.
func (s *Supervisor) awaitTasks(drained []<-chan struct{}) bool {
	grace := time.NewTimer(max(0, s.cfg.GracePeriod))
	defer grace.Stop()
	for _, d := range drained {
		select {
		case <-d:
			continue
		default:
		}
		select {
		case <-d:
		case <-grace.C:
			return false
		case <-s.now:
			return false
		}
	}
	return true
}

// awaitPools waits for the workers, and kills them if that has to be quick and is not.
func (s *Supervisor) awaitPools() {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		s.eachPool(func(p *plugin) { <-p.pool.Done() })
	}()
	select {
	case <-gone:
		return
	case <-s.now:
	}
	late := time.NewTimer(lastGrace)
	defer late.Stop()
	select {
	case <-gone:
	case <-late.C:
		s.eachPool((*plugin).kill)
		<-gone
	}
}

func (s *Supervisor) eachPool(do func(*plugin)) {
	for _, p := range s.pools() {
		do(p)
	}
}
