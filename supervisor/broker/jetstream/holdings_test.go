package jetstream

import (
	"testing"
	"time"
)

// A lease that is lost and never settled is forgotten, and so is a key that had no room.
func TestLostLeasesAreForgotten(t *testing.T) {
	b := openAt(t, Config{Dir: t.TempDir(), LeaseTime: time.Second})
	m := message("x")
	m.ConcurrencyKey, m.ConcurrencyLimit = "k", 1
	enqueue(t, b, m, message("y"))
	l := leaseN(t, b, 2)
	b.gate.shut("k", 0)
	l[1].Token.(*claim).renew(time.Now().Add(time.Hour))
	l[0].Token.(*claim).renew(time.Now().Add(-time.Hour))
	await(t, "an end of the lease", func() bool { return b.held.get("x") == nil })
	await(t, "an end of the key", func() bool {
		b.gate.mu.Lock()
		defer b.gate.mu.Unlock()
		return len(b.gate.keys) == 0 && len(b.gate.closed) == 0
	})
	if !b.held.has(l[1].Token.(*claim)) {
		t.Error("one that goes on is forgotten, too")
	}
}

// A task that was leased again keeps its room when its old lease is forgotten.
func TestNewLeaseKeepsItsRoom(t *testing.T) {
	g := newGate()
	older, newer := &claim{}, &claim{}
	for _, c := range []*claim{older, newer} {
		c.arrival = &arrival{}
		c.lease.Message = *message("x")
		c.lease.ConcurrencyKey, c.lease.ConcurrencyLimit = "k", 1
		c.renew(time.Now())
		if !g.enter(c) {
			t.Fatal("a task keeps itself out")
		}
	}
	if g.sweep([]*claim{older}); g.keys["k"]["x"] != newer {
		t.Error("the room is free, and the task is leased")
	}
	if g.sweep([]*claim{newer}); len(g.keys) != 0 {
		t.Error("the room is not free")
	}
}
