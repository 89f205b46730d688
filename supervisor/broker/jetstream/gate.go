package jetstream

import (
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
}

func newGate() *gate {
	return &gate{keys: map[string]map[string]*claim{}, parked: map[*pool]struct{}{}}
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
	held := g.keys[m.ConcurrencyKey]
	delete(held, m.Task.ID)
	if len(held) == 0 {
		delete(g.keys, m.ConcurrencyKey)
	}
	for p := range g.parked {
		p.signal()
	}
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
