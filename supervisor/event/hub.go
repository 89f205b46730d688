package event

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Hub hands every published event to every subscriber that has room for it. The
// zero value is ready to use.
type Hub struct {
	active atomic.Bool // there is a subscriber; lets publishers skip building events

	// mu: publishers share it, so they never wait for one another; Subscribe and
	// the Close methods take it alone, so no channel is closed under a send.
	mu     sync.RWMutex
	subs   []*Subscription
	closed bool
}

// Active says whether anybody listens. It costs one atomic load: ask before
// building an event on a hot path.
func (h *Hub) Active() bool { return h.active.Load() }

// Publish gives e to every subscriber. It never waits: a subscriber whose buffer
// is full loses the event and has it counted. Without subscribers, or after
// Close, it does nothing.
func (h *Hub) Publish(e Event) {
	if !h.active.Load() {
		return
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, s := range h.subs {
		select {
		case s.c <- e:
		default:
			s.dropped.Add(1)
		}
	}
}

// Subscribe adds a subscriber that may fall behind by buffer events, at least 1,
// before it loses some. On a closed Hub the Subscription's channel is closed.
func (h *Hub) Subscribe(buffer int) *Subscription {
	s := &Subscription{hub: h, c: make(chan Event, max(buffer, 1))}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(s.c)
		return s
	}
	h.subs = append(h.subs, s)
	h.active.Store(true)
	return s
}

// Close ends every subscription: their channels are closed once what they hold
// has been read. It may be called more than once.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.active.Store(false)
	for _, s := range h.subs {
		close(s.c)
	}
	h.subs = nil
}

// remove ends one subscription, unless it has ended already.
func (h *Hub) remove(s *Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.Index(h.subs, s)
	if i < 0 {
		return
	}
	h.subs = slices.Delete(h.subs, i, i+1)
	h.active.Store(len(h.subs) > 0)
	close(s.c)
}

// Subscription is one reader of a Hub.
type Subscription struct {
	hub     *Hub
	c       chan Event // written by publishers under hub.mu, read by the subscriber
	dropped atomic.Uint64
}

// C delivers the events. It is closed by Close and by the Hub's Close.
func (s *Subscription) C() <-chan Event { return s.c }

// Dropped is how many events this subscriber has lost by being slow.
func (s *Subscription) Dropped() uint64 { return s.dropped.Load() }

// Close ends the subscription. It may be called more than once.
func (s *Subscription) Close() { s.hub.remove(s) }
