package jetstream

import (
	"maps"
	"sync"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

// mostParked is how many tasks of one pool are kept here until there is room under their concurrency
// keys. What is beyond that goes back to its queue for a while.
const mostParked = 1000

// parkedPause is half of how long a task stays in its queue the first time that it found no place to wait.
const parkedPause = time.Second

// gate counts leases by concurrency key.
type gate struct {
	mu     sync.Mutex
	keys   map[string]map[string]*claim // leases by key and task
	parked map[*pool]struct{}           // pools with tasks that wait for room
	closed map[string]time.Time         // keys that have no room on the server, and until when not to ask again
}

func newGate() *gate {
	return &gate{keys: map[string]map[string]*claim{}, parked: map[*pool]struct{}{}, closed: map[string]time.Time{}}
}

// enter lets a lease in if there is room under its key. One that has lapsed takes none,
// after the task had the time to be leased again, and to take its place back.
func (g *gate) enter(c *claim) bool {
	m := &c.lease.Message
	if m.ConcurrencyKey == "" {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if until, ok := g.closed[m.ConcurrencyKey]; ok {
		if time.Until(until) > 0 {
			return false
		}
		delete(g.closed, m.ConcurrencyKey)
	}
	held := g.keys[m.ConcurrencyKey]
	others := 0
	for id, h := range held {
		if id != m.Task.ID && !h.gone() {
			others++
		}
	}
	if others >= m.ConcurrencyLimit {
		return false
	}
	if held == nil {
		held = map[string]*claim{}
		g.keys[m.ConcurrencyKey] = held
	}
	held[m.Task.ID] = c
	return true
}

// leave makes room.
func (g *gate) leave(m *broker.Message) {
	if m.ConcurrencyKey == "" {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(m)
	g.wake()
}

// forget requires mu.
func (g *gate) forget(m *broker.Message) {
	held := g.keys[m.ConcurrencyKey]
	delete(held, m.Task.ID)
	if len(held) == 0 {
		delete(g.keys, m.ConcurrencyKey)
	}
}

// sweep forgets leases that take no room any more, and keys that nobody asked for since they may be asked for again.
func (g *gate) sweep(gone []*claim) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range gone {
		if m := &c.lease.Message; g.keys[m.ConcurrencyKey][m.Task.ID] == c {
			g.forget(m)
		}
	}
	maps.DeleteFunc(g.closed, func(_ string, until time.Time) bool { return time.Until(until) <= 0 })
}

// wake has the pools look again whose tasks wait for room. Requires mu.
func (g *gate) wake() {
	for p := range g.parked {
		p.signal()
	}
}

// shut lets nobody in under a key for a while: others have all the room.
func (g *gate) shut(key string, d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed[key] = time.Now().Add(d)
}

// open ends what shut began.
func (g *gate) open(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.closed, key)
	g.wake()
}

// parks notes whether a pool has tasks that wait for room.
func (g *gate) parks(p *pool, any bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if any {
		g.parked[p] = struct{}{}
	} else {
		delete(g.parked, p)
	}
}
