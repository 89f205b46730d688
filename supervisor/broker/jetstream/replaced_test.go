package jetstream

import (
	"testing"

	"github.com/brood-run/brood/supervisor/broker"
)

// A server that replaced another may not know what that one had delivered last. What comes again is not taken for new,
// and nobody gets it while it is held here.
func TestReplacedServerDeliversAgain(t *testing.T) {
	b := embedded(t)
	enqueue(t, b, message("a"))
	l := lease(t, b, 1)[0]
	c := l.Token.(*claim)
	delivered := func() int {
		again := &claim{arrival: c.arrival, pool: c.pool, lease: broker.Lease{Message: l.Message, Delivery: 1}}
		if err := c.pool.mark(t.Context(), []*claim{again}); err != nil {
			t.Fatal(err)
		}
		return again.lease.Delivery
	}
	if n := delivered(); n != 1 {
		t.Errorf("delivery %d of what one server delivers", n)
	}
	b.engine.replaced.Add(1)
	if n := delivered(); n != 2 {
		t.Errorf("delivery %d of what the next server delivers", n)
	}
	if err := b.nc.Publish(c.reply, ackNak); err != nil { // as if it did not know
		t.Fatal(err)
	}
	nothing(t, b)
	ack(t, b, l)
	nothing(t, b)
}

// What was read ahead and waits for room has not been leased, whatever becomes of the server.
func TestReplacedServerHasParked(t *testing.T) {
	b := embedded(t)
	messages := many("t", 3)
	for _, m := range messages[:2] {
		m.ConcurrencyKey, m.ConcurrencyLimit = "k", 1
	}
	enqueue(t, b, messages...)
	leases := leaseN(t, b, 2) // one of the key, and the one that has none
	b.engine.replaced.Add(1)
	ack(t, b, leases...)
	if l := lease(t, b, 3)[0]; l.Delivery != 1 || l.History.Starts != 0 {
		t.Errorf("never leased: delivery %d after %d starts", l.Delivery, l.History.Starts)
	}
}
