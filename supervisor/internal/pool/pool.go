package pool

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor/internal/policy"
	"github.com/brood-run/brood/supervisor/internal/worker"
)

// Pool is the workers of one plugin.
type Pool struct {
	inbox struct { // messages to the loop; anybody writes, the loop reads
		sync.Mutex
		messages []message
		signal   chan struct{} // capacity 1
	}
	demanded atomic.Bool // a demand is in the inbox
	parks    atomic.Bool // workers are stopped for idleness; written by the loop

	up     chan struct{} // closed when a worker was ready for the first time
	gaveUp chan struct{} // closed when the plugin seems not to start at all
	done   chan struct{} // closed when the loop and every worker have ended

	// mu guards what the loop, or CountExit, writes and others read.
	mu       sync.Mutex
	members  map[*worker.Worker]*member
	restarts map[worker.Reason]uint64
	degraded string
	startErr error  // why the last start failed
	reload   string // why the last reload was taken back
	workers  int    // how many there are to be
	peak     uint64
	serves   ipc.Ready

	able func(bool) // Config.Able; the loop calls it

	// Only the loop touches these.
	gen          *generation // whose settings are in force
	roll         *roll       // to another one; nil if none is under way
	farewells    []farewell
	serial       int
	score        policy.Score // of workers that died while they had nothing to do
	failed       int          // starts that failed since one succeeded
	lastFailure  time.Time    // of a start, or of a worker that had nothing to do
	toldDegraded time.Time    // when the log last heard of it
	cannotStart  bool         // it was a start that failed last
	everUp       bool
	nextSpawn    time.Time
	parked       int    // workers stopped for idleness
	answered     uint64 // tasks, by workers that have gone
	counted      uint64 // tasks that useful has told of
	closing      bool
	unable       bool // Config.Able was told so
	blind        bool // the last look at a living worker's memory failed
	killed       bool
	replacing    *member // waits for a warm replacement before it drains
	restartFor   policy.RestartPolicy
}

// member is a worker as its pool sees it. The loop owns it.
type member struct {
	w      *worker.Worker
	lane   Lane
	gen    *generation
	serial int // the oldest has the lowest

	ready   bool
	worn    bool          // nearly used up: does not count as capacity
	leaving worker.Reason // why it is being replaced or drained
	retired bool          // its lane takes no more

	ttl        time.Duration // jittered; 0 is none
	softLimit  uint64        // jittered; 0 is none
	nextSample time.Time
	slack      time.Duration // how much earlier the sample may come
	wasBusy    bool          // at the last look
	answered   uint64        // tasks, at the last look
}

// New returns a pool that does nothing until Start.
func New(cfg Config) *Pool {
	p := &Pool{
		gen: &generation{Settings: cfg.Settings}, workers: cfg.Workers, able: cfg.Able,
		up: make(chan struct{}), gaveUp: make(chan struct{}), done: make(chan struct{}),
		members: map[*worker.Worker]*member{}, restarts: map[worker.Reason]uint64{},
		score:      policy.Score{HalfLife: 10 * time.Second},
		restartFor: policy.RestartPolicy{Free: 3, Base: 100 * time.Millisecond, Cap: 30 * time.Second},
	}
	p.inbox.signal = make(chan struct{}, 1)
	p.parks.Store(cfg.IdleTTL > 0)
	return p
}

// Start starts the loop, and with it the workers.
func (p *Pool) Start() { go p.loop() }

// Up is closed once a worker has been ready.
func (p *Pool) Up() <-chan struct{} { return p.up }

// IsUp says that one has.
func (p *Pool) IsUp() bool {
	select {
	case <-p.up:
		return true
	default:
		return false
	}
}

// GaveUp is closed when no worker has ever come up and it does not look as if one
// will; StartError says why. The pool goes on trying all the same.
func (p *Pool) GaveUp() <-chan struct{} { return p.gaveUp }

// StartError is why the last start failed.
func (p *Pool) StartError() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.startErr
}

// Stop has the workers leave as soon as they are empty.
func (p *Pool) Stop() { p.post(stop{}) }

// Kill ends all workers now.
func (p *Pool) Kill() { p.post(stop{kill: true}) }

// Done is closed when every worker has ended after Stop or Kill.
func (p *Pool) Done() <-chan struct{} { return p.done }

// Demand says that tasks wait and no worker is free. It matters if workers were stopped for
// idleness; until the loop has looked, more of the same says nothing new.
func (p *Pool) Demand() {
	if p.parks.Load() && !p.demanded.Swap(true) {
		p.post(demand{})
	}
}

// spawn starts one more worker.
func (p *Pool) spawn(g *generation, now time.Time) {
	p.serial++
	m := &member{
		gen: g, serial: p.serial,
		ttl:       policy.Jitter(g.TTL, g.Jitter, rand.Float64),
		softLimit: policy.Jitter(g.SoftMemoryLimit, g.Jitter, rand.Float64),
	}
	limit := policy.Jitter(g.MaxTasksPerChild, g.Jitter, rand.Float64)
	name := fmt.Sprintf("%s-%d", g.Worker.Pool, p.serial)
	m.w = worker.Start(g.Worker, name, p, func(w *worker.Worker) worker.Tasks {
		m.lane = p.newLane(g, w, limit)
		return m.lane
	})
	m.nextSample = now.Add(p.interval(m, 0, true))
	p.mu.Lock()
	p.members[m.w] = m
	p.mu.Unlock()
}
