package jetstream

import (
	"testing"
	"time"
)

// What is read ahead is bounded in bytes, and a task that is larger than the bound of its level comes all the same.
func TestReadAheadIsBounded(t *testing.T) {
	const size = 6 << 20
	b := openAt(t, Config{URL: oneServer(t).url()})
	messages := many("t", 32)
	for i, m := range messages {
		if m.Task.Priority = i % 10; i >= 20 { // so that the levels have less than one of them
			m.Task.Payload = make([]byte, size)
		}
	}
	messages[25].Task.Payload = make([]byte, 7<<20)
	enqueue(t, b, messages...)
	for seen := 0; seen < len(messages); {
		leases := lease(t, b, 100)
		seen += len(leases)
		bytes := 0
		p := b.entry(poolName)
		p.mu.Lock()
		for _, a := range p.ahead() {
			bytes += len(a.data)
		}
		p.mu.Unlock()
		for _, l := range leases {
			bytes += len(l.Task.Payload)
		}
		if most := mostAhead + 10*size; bytes > most {
			t.Errorf("%d bytes were read at once, of at most %d", bytes, most)
		}
		ack(t, b, leases...)
	}
	nothing(t, b)
}

// Small tasks that are followed by large ones do not bring these along.
func TestLargeTasksAreNotAllRead(t *testing.T) {
	b := embedded(t)
	messages := many("t", 32)
	for _, m := range messages[20:] {
		m.Task.Payload = make([]byte, 8<<20)
	}
	for _, m := range messages {
		enqueue(t, b, m)
	}
	for seen := 0; seen < len(messages); {
		leases := lease(t, b, 4096)
		seen += len(leases)
		bytes := 0
		for _, l := range leases {
			bytes += len(l.Task.Payload)
		}
		if bytes > mostAhead+8<<20 {
			t.Errorf("%d tasks of %d bytes were leased at once", len(leases), bytes)
		}
		ack(t, b, leases...)
	}
}

// What was read ahead goes back when its broker is closed, and counts as never leased.
func TestReadAheadGoesBack(t *testing.T) {
	const n = 2000
	cfg := Config{URL: oneServer(t).url(), LeaseTime: time.Minute}
	b := opened(t, cfg)
	messages := many("t", 2*n)
	for i, m := range messages {
		m.Task.Priority = i % 2
	}
	enqueue(t, b, messages...)
	leased := len(lease(t, b, n))
	began := time.Now()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d leased, closed after %v", leased, time.Since(began))
	b = openAt(t, cfg)
	for seen := 0; seen < len(messages)-leased; {
		leases := lease(t, b, n)
		for _, l := range leases {
			if l.Delivery != 1 || l.History.Starts != 0 {
				t.Fatalf("%s: delivery %d after %d starts", l.Task.ID, l.Delivery, l.History.Starts)
			}
		}
		seen += len(leases)
	}
}
