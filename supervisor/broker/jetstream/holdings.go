package jetstream

import "sync"

// holdings are the leases that this broker has handed out, by task. A lease that lapsed stays until it
// is settled or its task is leased here again.
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

// drop forgets claims unless their tasks are leased again.
func (h *holdings) drop(claims ...*claim) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range claims {
		if c != nil && h.by[c.lease.Task.ID] == c {
			delete(h.by, c.lease.Task.ID)
		}
	}
}
