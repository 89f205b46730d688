package feed

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/internal/dispatch"
	"github.com/brood-run/brood/supervisor/internal/policy"
)

const (
	// maxHeld bounds the leases of one pool, maxHeldBytes their payloads; one task is
	// always let in.
	maxHeld      = 4096
	maxHeldBytes = 64 << 20 // as far as the payloads so far tell how large the next ones are
	// maxEarly bounds the cancellations of tasks that may be on their way here.
	maxEarly = 1024
	// retryEvery is how long to wait before a broker that is unavailable is asked again.
	retryEvery = 250 * time.Millisecond
)

// Config is what a Feed needs. All of it is set.
type Config struct {
	Pool        string
	Broker      broker.Broker
	Tasks       *dispatch.Dispatcher
	AtOnce      func() int // tasks that can run at the same time
	MaxAttempts func() int // unless a task says otherwise
	Logger      hclog.Logger
}

// Feed supplies one pool. Create it with New.
type Feed struct {
	cfg Config

	taking  context.Context // ends when no more is leased
	halt    context.CancelFunc
	working context.Context // ends when nothing more can be settled
	quit    context.CancelFunc
	loops   sync.WaitGroup // the taker, and all others
	taker   sync.WaitGroup

	hand sync.Mutex // see the package

	mu       sync.Mutex
	holding  map[string]*held // by task id
	bytes    int              // payloads of them
	typical  int              // bytes of a payload, on average
	prefetch policy.Prefetch
	count    int       // settled since
	since    time.Time // when the taker last looked
	ended    []*held   // to be settled
	gate     []*held   // uncertain ones that wait, in order
	through  int       // uncertain ones that are through the gate
	early    []string  // cancelled while a Lease call was under way, and unknown
	draining bool
	unable   bool               // there is nobody to run tasks
	pause    context.CancelFunc // ends the Lease call that is under way
	empty    chan struct{}      // closed when nothing is held; nil if nobody waits for it
	cut      bool               // the broker is unavailable, and it was said

	room    chan struct{} // to the taker: look; capacity 1
	results chan struct{} // to the settler: look; capacity 1
}

// New returns a Feed that does nothing yet.
func New(cfg Config) *Feed {
	f := &Feed{
		cfg: cfg, holding: map[string]*held{}, since: time.Now(),
		room: make(chan struct{}, 1), results: make(chan struct{}, 1),
	}
	f.taking, f.halt = context.WithCancel(context.Background())
	f.working, f.quit = context.WithCancel(context.Background())
	return f
}

// Start begins to lease tasks.
func (f *Feed) Start() {
	f.taker.Go(f.take)
	f.loops.Go(f.settle)
	f.loops.Go(f.renew)
	f.loops.Go(f.listen)
}

// Stop leases no more. When it returns, the dispatcher gets nothing more from here but what is
// at the gate; call it before the dispatcher's Stop.
func (f *Feed) Stop() {
	f.halt()
	f.taker.Wait()
	f.clearGate()
}

// Close waits until all that is held has been settled, or ctx ends: then the rest of the leases
// lapse. Call it after Stop, when the dispatcher has nothing left.
func (f *Feed) Close(ctx context.Context) error {
	err := f.idle(ctx)
	f.quit()
	f.loops.Wait()
	return err
}

// Drain leases no more, gives back what has not started, and waits until what runs has been
// settled, or ctx ends. It lasts until Undrain.
func (f *Feed) Drain(ctx context.Context) error {
	f.hold(func() { f.draining = true })
	return f.idle(ctx)
}

// Undrain leases again.
func (f *Feed) Undrain() { f.hold(func() { f.draining = false }) }

// Able says whether there are workers. While there are none, tasks are left to others.
func (f *Feed) Able(able bool) { f.hold(func() { f.unable = !able }) }

// hold changes whether tasks are taken, and gives back what waits if they are not.
func (f *Feed) hold(change func()) {
	f.hand.Lock()
	defer f.hand.Unlock()
	f.mu.Lock()
	change()
	held := f.draining || f.unable
	if held && f.pause != nil {
		f.pause()
	}
	f.mu.Unlock()
	if held {
		f.clearGate()
	}
	f.cfg.Tasks.Hold(held)
	poke(f.room)
}

// Held is how many leases it has.
func (f *Feed) Held() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.holding)
}

// idle waits until nothing is held.
func (f *Feed) idle(ctx context.Context) error {
	f.mu.Lock()
	if len(f.holding) == 0 {
		f.mu.Unlock()
		return nil
	}
	if f.empty == nil {
		f.empty = make(chan struct{})
	}
	empty := f.empty
	f.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// wait lets a time pass; false if ctx ended it.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
