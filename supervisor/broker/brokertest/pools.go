package brokertest

import (
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

var poolTests = []test{
	{name: "a paused pool has nothing to lease", run: func(r *rig) {
		r.enqueue(message("a"))
		r.ok(r.Pause(r.ctx, pool, true))
		r.enqueue(message("b"))
		r.none()
		r.counts(pool, broker.Counts{Queued: 2, Paused: true})
		r.enqueue(message("c", inPool("others")))
		r.leaseFrom("others", 1)
		r.ok(r.Pause(r.ctx, pool, false))
		r.order([]string{"a", "b"}, 1)
	}},
	{name: "pausing twice", run: func(r *rig) {
		r.ok(r.Pause(r.ctx, pool, true))
		r.ok(r.Pause(r.ctx, pool, true))
		r.enqueue(message("a"))
		r.ok(r.Pause(r.ctx, pool, false))
		r.ok(r.Pause(r.ctx, pool, false))
		r.take("a")
	}},
	{name: "those who wait are paused too", run: func(r *rig) {
		wait := r.leaseLater(pool, 1)
		r.none() // so that it waits, most likely
		r.ok(r.Pause(r.ctx, pool, true))
		r.enqueue(message("a"))
		r.none()
		r.state("a", task.StateQueued)
		r.ok(r.Pause(r.ctx, pool, false))
		if l := wait(); l[0].Task.ID != "a" {
			r.Fatalf("leased %q", l[0].Task.ID)
		}
	}},
	{name: "what is leased goes on", run: func(r *rig) {
		r.enqueue(message("a"), message("b"))
		leases := r.lease(2)
		r.ok(r.Pause(r.ctx, pool, true))
		r.ok(one(r.Extend(r.ctx, leases)))
		r.ok(r.Begin(r.ctx, leases[0]))
		r.ack(leases[0])
		r.ok(r.Nack(r.ctx, leases[1], 0))
		r.none()
		r.counts(pool, broker.Counts{Queued: 1, Paused: true})
		r.ok(r.Pause(r.ctx, pool, false))
		r.take("b")
	}},
	{name: "what comes due while its pool is paused", run: func(r *rig) {
		r.ok(r.Pause(r.ctx, pool, true))
		r.enqueue(message("a", func(m *broker.Message) { m.NotBefore = time.Now().Add(200 * time.Millisecond) }))
		r.counts(pool, broker.Counts{Queued: 1, Paused: true})
		r.none()
		r.ok(r.Pause(r.ctx, pool, false))
		r.take("a")
	}},
	{name: "counts", run: func(r *rig) {
		r.counts(pool, broker.Counts{})
		r.enqueue(several("t", 5)...)
		r.enqueue(several("s", 3, inAnHour)...)
		r.enqueue(several("o", 7, inPool("others"))...)
		r.counts(pool, broker.Counts{Queued: 5, Scheduled: 3})
		leases := r.lease(4)
		r.counts(pool, broker.Counts{Queued: 1, Scheduled: 3, Leased: 4})
		r.ack(leases[0])
		r.end(task.Dead, leases[1])
		r.counts(pool, broker.Counts{Queued: 1, Scheduled: 3, Leased: 2, Dead: 1})
		r.ok(r.Nack(r.ctx, leases[2], time.Hour))
		r.counts(pool, broker.Counts{Queued: 1, Scheduled: 4, Leased: 1, Dead: 1})
		r.ok(r.Nack(r.ctx, leases[3], 0))
		r.counts(pool, broker.Counts{Queued: 2, Scheduled: 4, Dead: 1})
		r.ok(r.Bury(r.ctx, leases[1].Task.ID))
		r.counts(pool, broker.Counts{Queued: 2, Scheduled: 4})
		r.counts("others", broker.Counts{Queued: 7})
	}},
	{name: "the oldest", run: func(r *rig) {
		r.oldest(0, 0)
		r.enqueue(message("a", ago(3*time.Hour)), message("b", ago(2*time.Hour), priority(5)), message("c", ago(time.Hour), priority(-5)))
		r.oldest(3*time.Hour, 3*time.Hour+patience)
		r.ack(r.take("a"))
		r.oldest(2*time.Hour, 2*time.Hour+patience)
		r.ok(r.Cancel(r.ctx, "b"))
		r.oldest(time.Hour, time.Hour+patience)
		l := r.take("c")
		r.oldest(0, 0)
		r.ok(r.Nack(r.ctx, l, 0))
		r.oldest(time.Hour, time.Hour+patience)
	}},
}

// oldest waits until a pool's oldest task has waited for so long. Brokers may not know it
// to the last second.
func (r *rig) oldest(least, most time.Duration) {
	r.Helper()
	var got time.Duration
	defer func() {
		if r.Failed() {
			r.Logf("the oldest has waited for %v, want %v to %v", got, least, most)
		}
	}()
	r.until("age of the oldest", func() bool {
		c, err := r.Counts(r.ctx, pool)
		r.ok(err)
		got = c.Oldest
		return got >= least-time.Second && got <= most
	})
}
