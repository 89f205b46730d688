package jetstream

import "sync"

// holdings are the leases that this broker has handed out, by task. A lease that lapsed stays until it
// is settled, its task is leased here again, or it is gone.
type holdings struct {
	mu sync.Mutex
	by map[string]*claim
}

func newHoldings() *holdings { return &holdings{by: map[string]*claim{}} }

func (h *holdings) add(claims []*claim) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range claims {
		h.by[c.lease.Task.ID] = c
	}
}

// get returns the lease of a task, nil if it is not held here.
func (h *holdings) get(id string) *claim {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.by[id]
}

// has says that a claim is the newest of its task.
func (h *holdings) has(c *claim) bool { return h.get(c.lease.Task.ID) == c }

// drop forgets a claim unless its task is leased again.
func (h *holdings) drop(c *claim) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.by[c.lease.Task.ID] == c {
		delete(h.by, c.lease.Task.ID)
	}
}

// end forgets whatever is held of a task and returns it.
func (h *holdings) end(id string) *claim {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.by[id]
	delete(h.by, id)
	return c
}

// sweep forgets the leases that are gone and returns them, but for those whose holders go on: who lost them need not say so.
func (h *holdings) sweep() (gone []*claim) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, c := range h.by {
		if c.gone() && !c.runs() {
			gone = append(gone, c)
			delete(h.by, id)
		}
	}
	return gone
}

// count is how many tasks of a pool are leased.
func (h *holdings) count(p *pool) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.by {
		if c.pool == p && !c.lapsed() {
			n++
		}
	}
	return n
}
