package jetstream

import (
	"testing"
)

// What was cancelled while it was on its way here is not leased when it arrives.
func TestCancelledOnItsWay(t *testing.T) {
	b := embedded(t)
	enqueue(t, b, message("x"))
	p, err := b.pool(t.Context(), poolName)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	q := p.levels[0]
	err = q.fetch(1)
	p.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	var late []*arrival
	await(t, "a message", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		late, q.buffer = q.buffer, nil
		return len(late) > 0
	})
	if err := b.Cancel(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	q.buffer = late
	p.mu.Unlock()
	nothing(t, b)
}
