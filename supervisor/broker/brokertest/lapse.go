package brokertest

import (
	"fmt"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

var lapseTests = []test{
	{name: "a first delivery counts as an attempt", settings: lapsing, run: func(r *rig) {
		r.put("a")
		r.again("a", 2, 1)
	}},
	{name: "later ones do not", settings: lapsing, run: func(r *rig) {
		r.put("a")
		r.again("a", 2, 1)
		r.again("a", 3, 1)
		r.again("a", 4, 1)
	}},
	{name: "a first delivery does not count where there is one attempt", settings: lapsing, run: func(r *rig) {
		r.put("single", func(m *broker.Message) { m.Task.MaxAttempts = 1 })
		r.again("single", 2, 0)
		r.ack(r.again("single", 3, 0))
		r.put("once", func(m *broker.Message) { m.Task.AtMostOnce = true })
		r.ack(r.again("once", 2, 0))
	}},
	{name: "a first delivery that was begun counts once", settings: lapsing, run: func(r *rig) {
		r.again(r.begun(0).Task.ID, 2, 1)
	}},
	{name: "a later delivery that was begun counts", settings: lapsing, run: func(r *rig) {
		r.put("a")
		for l := r.take("a"); ; l = r.take("a") { // until one is not too late
			starts := l.History.Starts
			if err := r.Begin(r.ctx, l); err != nil {
				r.want(err, broker.ErrLost)
				continue
			}
			r.again("a", l.Delivery+1, starts+1)
			r.again("a", l.Delivery+2, starts+1)
			return
		}
	}},
	{name: "begin can be repeated", settings: lapsing, run: func(r *rig) {
		l := r.begun(0)
		if err := r.Begin(r.ctx, l); err != nil {
			r.want(err, broker.ErrLost)
		}
		r.again(l.Task.ID, 2, 1)
	}},
	{name: "begin of a second attempt under one lease", settings: lapsing, run: func(r *rig) {
		l := r.begun(1) // its holder has seen the first one end
		r.again(l.Task.ID, 2, 2)
	}},
	{name: "a history is kept", settings: lapsing, run: func(r *rig) {
		want := broker.History{Starts: 5, Crashes: 2, Attempts: attempts}
		r.put("a", func(m *broker.Message) { m.History = want })
		l := r.again("a", 2, 6)
		want.Vanish()
		r.same("history", l.History, want)
	}},
	{name: "what was given back by its first holder counts no more", settings: lapsing, run: func(r *rig) {
		l := r.inTime(func(l *broker.Lease) error { return r.Nack(r.ctx, l, 0) })
		r.again(l.Task.ID, 2, 0)
		r.again(l.Task.ID, 3, 0)
	}},
	{name: "what was begun and given back unstarted counts no more", settings: lapsing, run: func(r *rig) {
		l := r.inTime(func(l *broker.Lease) error {
			if err := r.Begin(r.ctx, l); err != nil {
				return err
			}
			return r.Nack(r.ctx, l, 0) // with no start in its history
		})
		r.again(l.Task.ID, 2, 0)
		r.again(l.Task.ID, 3, 0)
	}},
	{name: "what somebody else holds is lost", settings: lapsing, run: func(r *rig) {
		old := r.put("a")
		now := r.take("a")
		r.want(one(r.Extend(r.ctx, []*broker.Lease{old})), broker.ErrLost)
		r.want(r.Begin(r.ctx, old), broker.ErrLost)
		r.want(r.Nack(r.ctx, old, time.Hour), broker.ErrLost)
		if err := one(r.Extend(r.ctx, []*broker.Lease{now})); err != nil {
			r.want(err, broker.ErrLost) // a slow machine's
		}
		r.take("a") // at once or later: nobody has put it off by an hour
	}},
	{name: "the first result counts, from whomever", settings: lapsing, run: func(r *rig) {
		old := r.put("a")
		now := r.take("a")
		first, second := answer(old, task.Completed), answer(now, task.Dead)
		first.Result.Payload = []byte("first")
		r.ok(one(r.Ack(r.ctx, []broker.Answer{first})))
		r.want(one(r.Ack(r.ctx, []broker.Answer{second})), broker.ErrFinished)
		r.want(one(r.Extend(r.ctx, []*broker.Lease{now})), broker.ErrLost)
		r.want(r.Begin(r.ctx, now), broker.ErrLost)
		r.want(r.Nack(r.ctx, now, 0), broker.ErrLost)
		if got := r.result("a"); string(got.Payload) != "first" {
			r.Fatalf("result is %+v", got)
		}
		r.counts(pool, broker.Counts{})
		r.nothingComesBack()
	}},
	{name: "a result for a task that waits again", settings: lapsing, run: func(r *rig) {
		old := r.put("a")
		r.ok(r.Pause(r.ctx, pool, true))
		r.until("the lease lapses", func() bool {
			c, err := r.Counts(r.ctx, pool)
			r.ok(err)
			return c.Leased == 0
		})
		r.ack(old)
		r.ok(r.Pause(r.ctx, pool, false))
		r.nothingComesBack()
		r.state("a", task.StateCompleted)
	}},
	{name: "many lapse at once", settings: lapsing, run: func(r *rig) {
		const n = 50
		var batch []*broker.Message
		for i := range n {
			batch = append(batch, message(fmt.Sprint("t", i)))
		}
		r.enqueue(batch...)
		r.lease(n)
		seen := map[string]bool{}
		for len(seen) < n {
			l := r.lease(1)[0]
			if l.Delivery < 2 || l.History.Starts != 1 {
				r.Fatalf("%s: delivery %d after %d starts", l.Task.ID, l.Delivery, l.History.Starts)
			}
			seen[l.Task.ID] = true
			r.ack(l)
		}
		r.nothingComesBack()
	}},
}

// again waits until a task's lease has lapsed and checks how it comes back.
func (r *rig) again(id string, delivery, starts int) *broker.Lease {
	r.Helper()
	l := r.take(id)
	if l.Delivery != delivery || l.History.Starts != starts {
		r.Fatalf("task %s: delivery %d after %d starts, want %d after %d", id, l.Delivery, l.History.Starts, delivery, starts)
	}
	return l
}

// inTime leases a new task and does something before its lease lapses. A machine that is too slow
// for that gets another try.
func (r *rig) inTime(do func(*broker.Lease) error) *broker.Lease {
	r.Helper()
	for i := 0; ; i++ {
		l := r.put(fmt.Sprint("t", i))
		err := do(l)
		if err == nil {
			return l
		}
		r.want(err, broker.ErrLost)
		r.ack(r.lease(1)...)
	}
}

// begun leases a new task, and begins an attempt of it after some that its holder knows of.
func (r *rig) begun(starts int) *broker.Lease {
	r.Helper()
	return r.inTime(func(l *broker.Lease) error {
		l.History.Starts = starts
		return r.Begin(r.ctx, l)
	})
}

// nothingComesBack looks for longer than a lease lasts.
func (r *rig) nothingComesBack() {
	r.Helper()
	leases, err := r.tryLease(pool, r.LeaseTime()*3/2)
	if len(leases) > 0 || err == nil {
		r.Fatalf("leased %q (delivery %d), want nothing", leases[0].Task.ID, leases[0].Delivery)
	}
}
