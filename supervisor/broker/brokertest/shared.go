package brokertest

import (
	"fmt"
	"sync"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// sharedTests have two brokers open on one store.
var sharedTests = []test{
	{name: "each message goes to one", run: twice(func(r, other *rig) {
		const n = 200
		r.enqueue(several("t", n/2)...)
		other.enqueue(several("u", n/2)...)
		var mu sync.Mutex
		seen := map[string]int{}
		var both sync.WaitGroup
		for _, r := range []*rig{r, other} {
			both.Go(func() {
				for {
					mu.Lock()
					done := len(seen) == n
					mu.Unlock()
					leases, _ := r.tryLease(pool, glimpse)
					if done && len(leases) == 0 {
						return
					}
					mu.Lock()
					for _, l := range leases {
						seen[l.Task.ID]++
					}
					mu.Unlock()
					for _, err := range r.Ack(r.ctx, answers(leases)) {
						r.Error(err)
					}
					if r.ctx.Err() != nil {
						r.Error("it takes too long")
						return
					}
				}
			})
		}
		both.Wait()
		for id, times := range seen {
			if times != 1 {
				r.Errorf("%s was leased %d times", id, times)
			}
		}
	})},
	{name: "an id is a duplicate everywhere", run: twice(func(r, other *rig) {
		r.enqueue(message("a"))
		r.want(other.refuse(message("a")), broker.ErrDuplicate)
		other.ack(other.take("a"))
		r.want(r.refuse(message("a")), broker.ErrDuplicate)
		r.want(other.refuse(message("a")), broker.ErrDuplicate)
	})},
	{name: "one id at the same time", run: twice(func(r, other *rig) {
		for i := range 50 {
			id := fmt.Sprint("t", i)
			var first, second error
			var both sync.WaitGroup
			both.Go(func() { first = one(r.Enqueue(r.ctx, []*broker.Message{message(id)})) })
			both.Go(func() { second = one(other.Enqueue(r.ctx, []*broker.Message{message(id)})) })
			both.Wait()
			if first == nil {
				first, second = second, first
			}
			r.ok(second)
			r.want(first, broker.ErrDuplicate)
			r.ack(r.take(id))
		}
	})},
	{name: "a unique key is held everywhere", run: twice(func(r, other *rig) {
		r.enqueue(message("a", unique("k")))
		other.held(message("b", unique("k")), "a")
		r.ack(r.take("a"))
		other.enqueue(message("b", unique("k")))
		r.held(message("c", unique("k")), "b")
	})},
	{name: "a limit holds everywhere", run: twice(func(r, other *rig) {
		r.enqueue(several("t", 10, limited("k", 2))...)
		r.enqueue(message("no key"))
		held := append(r.lease(1), other.lease(1)...)
		held = append(held, other.lease(1)...) // with the one that has no key
		r.none()
		other.none()
		for range 8 {
			r.ack(held[0])
			held = append(held[1:], other.lease(1)...)
			r, other = other, r
			if held[0].Task.ID == "no key" {
				r.ack(held[0])
				held = held[1:]
			}
			r.none()
		}
	})},
	{name: "a lapsed lease goes to the other", settings: lapsing, run: twice(func(r, other *rig) {
		l := r.put("a")
		other.again("a", 2, 1)
		r.want(one(r.Extend(r.ctx, []*broker.Lease{l})), broker.ErrLost)
		r.want(r.Nack(r.ctx, l, 0), broker.ErrLost)
	})},
	{name: "the leases of a closed one go to the other", settings: lapsing, run: twice(func(r, other *rig) {
		r.enqueue(several("t", 20)...)
		r.lease(20)
		r.ok(r.Close())
		seen := map[string]bool{}
		for len(seen) < 20 {
			l := other.lease(1)[0]
			seen[l.Task.ID] = true
			other.ack(l)
		}
	})},
	{name: "a lease can be settled through either", settings: lapsing, run: twice(func(r, other *rig) {
		old := r.put("a")
		now := other.take("a")
		r.ack(old)
		r.want(one(other.Ack(r.ctx, answers([]*broker.Lease{now}))), broker.ErrFinished)
		r.want(one(other.Extend(r.ctx, []*broker.Lease{now})), broker.ErrLost)
	})},
	{name: "results are seen everywhere", run: twice(func(r, other *rig) {
		results := other.watch("a")
		r.ack(r.put("a"))
		r.receive(results)
		other.result("a")
		other.state("a", task.StateCompleted)
	})},
	{name: "the holder gets the notice", run: twice(func(r, other *rig) {
		notices := r.notices(r.ctx)
		r.put("a")
		r.ok(other.Cancel(r.ctx, "a"))
		r.notice(notices, "a")
		other.enqueue(message("b"))
		r.ok(r.Cancel(r.ctx, "b"))
		other.state("b", task.StateCancelled)
	})},
	{name: "paused for all", run: twice(func(r, other *rig) {
		r.ok(r.Pause(r.ctx, pool, true))
		r.until("the other knows", func() bool {
			c, err := other.Counts(r.ctx, pool)
			r.ok(err)
			return c.Paused
		})
		other.enqueue(message("a"))
		r.none()
		other.none()
		wait := other.leaseLater(pool, 1)
		r.ok(r.Pause(r.ctx, pool, false))
		if l := wait(); l[0].Task.ID != "a" {
			r.Fatalf("leased %s", l[0].Task.ID)
		}
	})},
	{name: "dead letters are seen everywhere", run: twice(func(r, other *rig) {
		r.end(task.Dead, r.put("a"))
		other.lettersSoon("a")
		r.ok(other.Revive(r.ctx, "a"))
		r.lettersSoon()
		r.take("a")
	})},
	{name: "counts are those of all", run: twice(func(r, other *rig) {
		r.enqueue(several("t", 5)...)
		r.lease(1)
		other.ok(other.Nack(r.ctx, other.lease(1)[0], time.Hour))
		want := broker.Counts{Queued: 3, Scheduled: 1, Leased: 1}
		r.counts(pool, want)
		other.counts(pool, want)
	})},
}

// twice runs a test with two brokers on one store.
func twice(run func(r, other *rig)) func(*rig) {
	return func(r *rig) {
		r.need(r.kit.Shared, "shared")
		run(r, r.on(r.open()))
	}
}

// answers completes tasks.
func answers(leases []*broker.Lease) []broker.Answer {
	var all []broker.Answer
	for _, l := range leases {
		all = append(all, answer(l, task.Completed))
	}
	return all
}
