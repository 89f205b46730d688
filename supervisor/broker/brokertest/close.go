package brokertest

import (
	"errors"
	"sync"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

var closeTests = []test{
	{name: "healthy until closed", run: func(r *rig) {
		r.ok(r.Health())
		lease := r.LeaseTime()
		for range 3 {
			r.ok(r.Close())
		}
		r.want(r.Health(), broker.ErrClosed)
		if r.LeaseTime() != lease {
			r.Fatalf("lease time was %v and is %v", lease, r.LeaseTime())
		}
	}},
	{name: "nothing works after that", run: func(r *rig) {
		l := r.put("a")
		r.enqueue(message("b"))
		r.ok(r.Close())
		r.want(r.refuse(message("c")), broker.ErrClosed)
		_, err := r.Lease(r.ctx, pool, 1)
		r.want(err, broker.ErrClosed)
		r.want(one(r.Extend(r.ctx, []*broker.Lease{l})), broker.ErrClosed)
		r.want(r.Begin(r.ctx, l), broker.ErrClosed)
		r.want(one(r.Ack(r.ctx, []broker.Answer{answer(l, task.Completed)})), broker.ErrClosed)
		r.want(r.Nack(r.ctx, l, 0), broker.ErrClosed)
		_, err = r.Notices(r.ctx)
		r.want(err, broker.ErrClosed)
		_, err = r.Get(r.ctx, "a")
		r.want(err, broker.ErrClosed)
		_, err = r.OnResult(r.ctx, "a", func(task.Result) {})
		r.want(err, broker.ErrClosed)
		r.want(r.Cancel(r.ctx, "b"), broker.ErrClosed)
		_, _, err = r.Dead(r.ctx, "", "", 1)
		r.want(err, broker.ErrClosed)
		_, err = r.DeadLetter(r.ctx, "a")
		r.want(err, broker.ErrClosed)
		r.want(r.Revive(r.ctx, "a"), broker.ErrClosed)
		r.want(r.Bury(r.ctx, "a"), broker.ErrClosed)
		r.want(r.Pause(r.ctx, pool, true), broker.ErrClosed)
		_, err = r.Counts(r.ctx, pool)
		r.want(err, broker.ErrClosed)
	}},
	{name: "those who wait are told", run: func(r *rig) {
		notices := r.notices(r.ctx)
		errs := make(chan error, 10)
		for range cap(errs) {
			go func() {
				_, err := r.Lease(r.ctx, pool, 1)
				errs <- err
			}()
		}
		stop, err := r.OnResult(r.ctx, "a", func(task.Result) { r.Error("a result out of nowhere") })
		r.ok(err)
		r.none() // so that they wait, most likely
		r.ok(r.Close())
		for range cap(errs) {
			r.want(<-errs, broker.ErrClosed)
		}
		r.closed(notices)
		stop()
	}},
	{name: "by many at once, in the middle of traffic", run: func(r *rig) {
		var all sync.WaitGroup
		for _, m := range several("t", 20) {
			all.Go(func() { r.orClosed(one(r.Enqueue(r.ctx, []*broker.Message{m}))) })
			all.Go(func() {
				leases, err := r.Lease(r.ctx, pool, 1)
				r.orClosed(err)
				for _, l := range leases {
					r.orClosed(one(r.Ack(r.ctx, []broker.Answer{answer(l, task.Completed)})))
				}
			})
		}
		for range 4 {
			all.Go(func() { r.orClosed(r.Close()) })
		}
		all.Wait()
	}},
	{name: "leases lapse then", settings: lapsing, run: func(r *rig) {
		r.need(r.kit.Durable, "durable")
		l := r.put("a")
		l.History.Starts = 7 // nobody is told
		r.ok(r.Close())
		r.on(r.open()).again("a", 2, 1)
	}},
}

// durableTests open a store again and again.
var durableTests = []test{
	{name: "everything is there again", settings: lapsing, run: func(r *rig) {
		r.need(r.kit.Durable, "durable")
		queued := message("queued", func(m *broker.Message) {
			everything(m)
			m.UniqueKey, m.Submitted = "k", time.Now()
		})
		r.enqueue(queued)
		r.take("queued")
		r.ack(r.put("completed"))
		r.end(task.Dead, r.put("dead"))
		l := r.put("retrying")
		l.History = broker.History{Starts: 3, Attempts: attempts[:1]}
		_ = r.Nack(r.ctx, l, time.Hour)
		r.enqueue(message("scheduled", inAnHour), message("soon", func(m *broker.Message) { m.NotBefore = time.Now().Add(time.Second) }))
		r.ok(r.Pause(r.ctx, "others", true))
		r.enqueue(message("paused", inPool("others")))
		r.ok(r.Close())

		r = r.on(r.open())
		r.state("completed", task.StateCompleted)
		r.state("dead", task.StateDead)
		r.state("scheduled", task.StateQueued)
		r.letters("", 10, "dead")
		r.noneFrom("others")
		r.held(message("other", unique("k")), "queued")
		r.want(r.refuse(message("completed")), broker.ErrDuplicate)
		seen := map[string]bool{}
		for !seen["queued"] || !seen["soon"] {
			l := r.lease(1)[0]
			seen[l.Task.ID] = true
			if l.Task.ID == "queued" {
				if !queued.StartsOnce() {
					queued.History.Vanish() // the lapsed lease has counted
				}
				r.same("message", l.Message, *queued)
			}
			r.ack(l)
		}
		r.ok(r.Pause(r.ctx, "others", false))
		r.ack(r.leaseFrom("others", 1)...)
		r.ok(r.Close())

		r = r.on(r.open())
		for _, id := range []string{"queued", "soon", "paused", "completed"} {
			if res := r.result(id); res.Status != task.Completed || string(res.Payload) != "answer to "+id {
				r.Fatalf("result of %s is %+v", id, res)
			}
		}
		r.ok(r.Revive(r.ctx, "dead"))
		r.take("dead")
	}},
	{name: "closed after every call", run: func(r *rig) {
		r.need(r.kit.Durable, "durable")
		next := func() {
			r.ok(r.Close())
			r = r.on(r.open())
		}
		r.enqueue(several("t", 10)...)
		next()
		r.ok(r.Cancel(r.ctx, "t0"))
		next()
		r.ack(r.take("t1"))
		next()
		r.ok(r.Nack(r.ctx, r.take("t2"), time.Hour))
		next()
		r.state("t0", task.StateCancelled)
		r.state("t1", task.StateCompleted)
		r.counts(pool, broker.Counts{Queued: 7, Scheduled: 1})
		r.order([]string{"t3", "t4", "t5", "t6", "t7", "t8", "t9"}, 3)
	}},
}

// orClosed accepts that a broker is closed.
func (r *rig) orClosed(err error) {
	r.Helper()
	if err != nil && !errors.Is(err, broker.ErrClosed) {
		r.Error(err)
	}
}
