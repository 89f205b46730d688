package brokertest

import (
	"fmt"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

var concurrencyTests = []test{
	{name: "no more than the limit", run: func(r *rig) {
		r.enqueue(several("t", 6, limited("k", 2))...)
		leases := r.lease(2)
		r.none()
		for range 4 {
			r.ack(leases[0])
			leases = append(leases[1:], r.lease(1)...)
			r.none()
		}
		r.ack(leases...)
		r.none()
		r.counts(pool, broker.Counts{})
	}},
	{name: "in their order", run: func(r *rig) {
		batch := several("t", 5, limited("k", 1))
		batch[3].Task.Priority = 10
		r.queue(batch...)
		for _, id := range []string{"t3", "t0", "t1", "t2", "t4"} {
			r.ack(r.take(id))
		}
	}},
	{name: "others pass them", run: func(r *rig) {
		r.enqueue(several("t", 20, limited("k", 1))...)
		r.enqueue(message("other key", limited("K", 1)), message("no key"))
		seen := map[string]bool{}
		for _, l := range r.lease(3) {
			seen[l.Task.ID] = true
		}
		if !seen["t0"] || !seen["other key"] || !seen["no key"] {
			r.Fatalf("leased %v", seen)
		}
		r.none()
	}},
	{name: "a waiting call gets the next", run: func(r *rig) {
		r.enqueue(several("t", 2, limited("k", 1))...)
		first := r.take("t0")
		wait := r.leaseLater(pool, 10)
		r.none() // so that it waits, most likely
		r.ack(first)
		if l := wait(); len(l) != 1 || l[0].Task.ID != "t1" {
			r.Fatalf("got %v", l)
		}
	}},
	{name: "what was given back leaves its place", run: func(r *rig) {
		r.enqueue(several("t", 2, limited("k", 1))...)
		r.ok(r.Nack(r.ctx, r.take("t0"), time.Hour))
		r.take("t1")
		r.none()
	}},
	{name: "what was given back takes its place again", run: func(r *rig) {
		r.enqueue(several("t", 2, limited("k", 1))...)
		r.ok(r.Nack(r.ctx, r.take("t0"), 0))
		r.ack(r.take("t0"))
		r.ack(r.take("t1"))
	}},
	{name: "a lapsed lease leaves its place", settings: lapsing, run: func(r *rig) {
		r.enqueue(several("t", 2, limited("k", 1))...)
		r.take("t0")
		r.ack(r.take("t0"))
		r.ack(r.take("t1"))
		r.nothingComesBack()
	}},
	{name: "a result of a lapsed lease leaves its place once", settings: lapsing, run: func(r *rig) {
		r.enqueue(several("t", 3, limited("k", 1))...)
		old := r.take("t0")
		r.take("t0")
		r.ack(old)
		second := r.take("t1")
		leases, _ := r.tryLease(pool, r.LeaseTime()/2)
		if len(leases) > 0 && leases[0].Task.ID != second.Task.ID { // t1 again on a slow machine
			r.Fatalf("leased %s beside t1", leases[0].Task.ID)
		}
	}},
	{name: "one that is cancelled while it waits", run: func(r *rig) {
		r.enqueue(several("t", 4, limited("k", 1))...)
		l := r.take("t0")
		r.none()
		r.ok(r.Cancel(r.ctx, "t1"))
		r.ack(l)
		l = r.take("t2")
		r.ok(r.Cancel(r.ctx, "t3"))
		r.ack(l)
		r.none()
		r.counts(pool, broker.Counts{})
	}},
	{name: "one that is cancelled when it could go", run: func(r *rig) {
		r.enqueue(several("t", 3, limited("k", 1))...)
		l := r.take("t0")
		r.none()
		r.ok(r.Pause(r.ctx, pool, true))
		r.ack(l)
		r.ok(r.Cancel(r.ctx, "t1"))
		r.ok(r.Pause(r.ctx, pool, false))
		r.take("t2")
	}},
	{name: "one that expires while it waits", run: func(r *rig) {
		r.enqueue(message("a", limited("k", 1)))
		l := r.take("a")
		r.enqueue(message("b", limited("k", 1), expiresIn(200*time.Millisecond)), message("c", limited("k", 1)))
		if res := r.result("b"); res.Status != task.Expired {
			r.Fatalf("result is %+v", res)
		}
		r.ack(l)
		r.take("c")
	}},
	{name: "across pools", run: func(r *rig) {
		r.enqueue(message("a", limited("k", 1)), message("b", limited("k", 1), inPool("others")))
		l := r.take("a")
		r.noneFrom("others")
		r.ack(l)
		if l := r.leaseFrom("others", 1)[0]; l.Task.ID != "b" {
			r.Fatalf("leased %s", l.Task.ID)
		}
	}},
	{name: "a pool that nobody leases from", run: func(r *rig) {
		r.enqueue(several("o", 3, limited("k", 1), inPool("others"))...)
		r.enqueue(several("t", 3, limited("k", 1))...)
		l := r.leaseFrom("others", 1)[0]
		r.noneFrom("others")
		r.none()
		r.ok(r.Pause(r.ctx, "others", true))
		r.ack(l)
		for _, id := range []string{"t0", "t1", "t2"} {
			r.ack(r.take(id))
		}
	}},
	{name: "limits that differ", run: func(r *rig) {
		r.enqueue(message("one", limited("k", 1)), message("three", limited("k", 3)), message("three too", limited("k", 3)))
		for range 3 {
			r.ack(r.lease(1)...)
		}
		r.counts(pool, broker.Counts{})
	}},
}

func limited(key string, limit int) func(*broker.Message) {
	return func(m *broker.Message) { m.ConcurrencyKey, m.ConcurrencyLimit = key, limit }
}

// several are n messages whose ids are a prefix and a number from 0.
func several(prefix string, n int, change ...func(*broker.Message)) []*broker.Message {
	var messages []*broker.Message
	for i := range n {
		messages = append(messages, message(fmt.Sprint(prefix, i), change...))
	}
	return messages
}
