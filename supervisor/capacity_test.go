package supervisor_test

import (
	"testing"

	"github.com/brood-run/brood/supervisor/event"
)

// capacity is what events tell of how many workers take tasks. It sees each change in the order in
// which they happened, which no looking would.
type capacity struct {
	serving map[string]bool
	enough  bool // there were as many as there should be
	least   int  // since then
	most    int  // processes at once
	alive   map[string]bool
	exits   map[string]int // by reason
	started int
}

// measure reads the events of a supervisor that was closed. size is the number of workers.
func measure(t testing.TB, events *event.Subscription, size int) capacity {
	t.Helper()
	c := capacity{serving: map[string]bool{}, alive: map[string]bool{}, exits: map[string]int{}, least: size}
	for e := range events.C() {
		if e, ok := e.(event.WorkerExited); ok && e.Reason == "shutdown" {
			continue
		}
		c.see(e, size)
	}
	if n := events.Dropped(); n > 0 {
		t.Fatalf("%d events were lost", n)
	}
	return c
}

func (c *capacity) see(e event.Event, size int) {
	switch e := e.(type) {
	case event.WorkerStarting:
		c.alive[e.Worker] = true
		c.most = max(c.most, len(c.alive))
		c.started++
	case event.WorkerReady:
		c.serving[e.Worker] = true
		c.enough = c.enough || len(c.serving) >= size
	case event.WorkerDraining:
		delete(c.serving, e.Worker)
	case event.WorkerStopping:
		delete(c.serving, e.Worker)
	case event.WorkerExited:
		delete(c.serving, e.Worker)
		delete(c.alive, e.Worker)
		c.exits[e.Reason]++
	}
	if c.enough {
		c.least = min(c.least, len(c.serving))
	}
}
