package chaos

import (
	"slices"
	"sync"
	"time"

	"github.com/brood-run/brood/supervisor/event"
)

// lastEvents is how many events are kept, for evidence.
const lastEvents = 1 << 14

// inmate is a worker as the events tell of it.
type inmate struct {
	name    string
	pid     int
	ready   bool
	leaving bool // it was told to go: nobody waits for a replacement
	hit     *hit // the first strike against it
}

// hit is a strike that met a worker.
type hit struct {
	Strike
	worker    string
	pid       int
	at        time.Time
	ended     bool          // its worker has
	reason    string        // why, in the supervisor's words
	exit      string        // and how
	planned   bool          // it was leaving anyway
	recovered time.Duration // until a worker more was ready; 0 if not yet
}

// book follows the workers from the supervisor's events and knows who was struck. One
// goroutine enters the events; its lock lets others ask, and strike nobody who has gone.
type book struct {
	mu      sync.Mutex
	workers []*inmate         // that live, in the order in which they started
	size    int               // how many workers there should be
	struck  map[string][]*hit // by the worker's name, also of those that have gone
	hits    []*hit            // in order of time
	faults  map[string]Strike
	vacant  []*hit         // strikes whose worker has ended and was not replaced yet
	ended   map[string]int // workers by reason
	ends    map[string]string
	starts  int  // workers that failed to start
	ambush  *hit // a strike that waits for a worker to start
	recent  []event.Event
	next    int // place of the next event in recent
	changed chan struct{}
	attack  func(w *inmate, f Fault) bool
}

func newBook(size int, attack func(*inmate, Fault) bool) *book {
	return &book{
		size: size, struck: map[string][]*hit{}, faults: map[string]Strike{}, ended: map[string]int{}, ends: map[string]string{},
		changed: make(chan struct{}, 1), attack: attack,
	}
}

// follow enters events until there are no more.
func (b *book) follow(events <-chan event.Event) {
	for e := range events {
		b.mu.Lock()
		b.enter(e)
		b.mu.Unlock()
		select {
		case b.changed <- struct{}{}:
		default:
		}
	}
}

func (b *book) enter(e event.Event) {
	if len(b.recent) < lastEvents {
		b.recent = append(b.recent, e)
	} else {
		b.recent[b.next%lastEvents] = e
	}
	b.next++
	switch e := e.(type) {
	case event.WorkerStarting:
		w := &inmate{name: e.Worker, pid: e.PID}
		b.workers = append(b.workers, w)
		b.spring(w, e.Time)
	case event.WorkerReady:
		if w := b.worker(e.Worker); w != nil {
			w.ready = true
		}
		b.fill(e.Time)
	case event.WorkerDraining:
		b.leaves(e.Worker)
	case event.WorkerStopping:
		b.leaves(e.Worker)
	case event.WorkerExited:
		b.exit(e)
	case event.TaskStarted:
		b.begins(e)
	}
}

func (b *book) worker(name string) *inmate {
	for _, w := range b.workers {
		if w.name == name {
			return w
		}
	}
	return nil
}

func (b *book) leaves(name string) {
	if w := b.worker(name); w != nil {
		w.leaving = true
	}
}

// fill gives the oldest vacancy to a worker that has become ready.
func (b *book) fill(at time.Time) {
	if len(b.vacant) == 0 {
		return
	}
	h := b.vacant[0]
	b.vacant = b.vacant[1:]
	h.recovered = max(1, at.Sub(h.at))
}

func (b *book) exit(e event.WorkerExited) {
	b.ended[e.Reason]++
	b.ends[e.Worker] = e.Reason
	w := b.worker(e.Worker)
	if w == nil {
		return
	}
	b.workers = slices.DeleteFunc(b.workers, func(x *inmate) bool { return x == w })
	if !w.ready {
		b.starts++
	}
	h := w.hit
	if h == nil || e.Reason == "shutdown" {
		return // that is our doing, when all is over
	}
	h.ended, h.reason, h.exit, h.planned = true, e.Reason, e.Exit, w.leaving
	if !w.ready || w.leaving {
		return // it filled no vacancy, or somebody has filled the one it leaves
	}
	b.vacant = append(b.vacant, h)
	if b.up() >= b.size { // its replacement was there before
		b.fill(e.Time)
	}
}

// up is how many workers take tasks.
func (b *book) up() int {
	n := 0
	for _, w := range b.workers {
		if w.ready && !w.leaving {
			n++
		}
	}
	return n
}

// whole says whether all workers are up and none is dying.
func (b *book) whole(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range b.workers {
		if !w.open(now) {
			return false
		}
	}
	return len(b.vacant) == 0 && b.up() >= b.size
}
