package memory

import (
	"container/list"
	"sync"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

// Broker keeps the tasks of this process. New makes one; the zero value is of no use.
type Broker struct {
	cfg   Config
	epoch time.Time // what times are counted from
	timer *time.Timer
	stop  chan struct{}  // closed by Close
	tasks sync.WaitGroup // the clock and the feeders of Notices

	mu       sync.Mutex
	closed   bool
	pools    map[string]*pool
	items    map[string]*item // by task id, finished ones too while their results are kept
	leases   list.List        // of *item, those that lapse first in front
	schedule schedule
	results  list.List // of *item, the oldest first
	letters  letters
	unique   map[string]*item // who holds each key
	gates    map[string]*gate // by concurrency key
	watchers map[string]*list.List
	notified map[*subscriber]struct{}
	nextTick time.Duration
	calls    []func() // to be made as soon as the mutex is free
}

var _ broker.Broker = (*Broker)(nil)

// New returns an empty broker. Close it.
func New(cfg Config) *Broker {
	b := &Broker{
		cfg: cfg.withDefaults(), epoch: time.Now(), timer: time.NewTimer(never), stop: make(chan struct{}),
		pools: map[string]*pool{}, items: map[string]*item{}, unique: map[string]*item{}, gates: map[string]*gate{},
		watchers: map[string]*list.List{}, notified: map[*subscriber]struct{}{}, nextTick: never,
		letters: letters{byID: map[string]*letter{}},
	}
	b.tasks.Go(b.runClock)
	return b
}

// LeaseTime is that of the Config.
func (b *Broker) LeaseTime() time.Duration { return b.cfg.LeaseTime }

// Health is nil until the broker is closed.
func (b *Broker) Health() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.usable()
}

// Close forgets everything. Calls that wait return ErrClosed, channels of Notices are closed, and
// functions that wait for a result are not called any more.
func (b *Broker) Close() error {
	b.mu.Lock()
	if !b.closed {
		b.closed = true
		close(b.stop)
		for _, p := range b.pools {
			p.dismiss()
		}
		b.pools, b.items, b.watchers = nil, nil, nil
		b.schedule, b.letters = nil, letters{}
		b.leases.Init()
		b.results.Init()
	}
	b.mu.Unlock()
	b.tasks.Wait()
	return nil
}

// usable says why nothing can be asked of the broker any more.
func (b *Broker) usable() error {
	if b.closed {
		return broker.ErrClosed
	}
	return nil
}

// release gives the mutex back and makes the calls that had to wait for that.
func (b *Broker) release() {
	calls := b.calls
	b.calls = nil
	b.mu.Unlock()
	for _, call := range calls {
		call()
	}
}

func (b *Broker) now() time.Duration { return time.Since(b.epoch) }
