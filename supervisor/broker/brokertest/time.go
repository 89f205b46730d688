package brokertest

import (
	"fmt"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

var timeTests = []test{
	{name: "not before its time", run: func(r *rig) {
		at := time.Now().Add(300 * time.Millisecond)
		r.put("a", func(m *broker.Message) { m.NotBefore = at })
		if early := time.Until(at); early > 30*time.Millisecond {
			r.Fatalf("leased %v early", early)
		}
	}},
	{name: "a time that has passed", run: func(r *rig) {
		r.put("a", func(m *broker.Message) { m.NotBefore = time.Now().Add(-time.Hour) })
	}},
	{name: "a time far away", run: func(r *rig) {
		r.enqueue(message("a", inAnHour), message("b", func(m *broker.Message) { m.NotBefore = time.Now().AddDate(50, 0, 0) }))
		r.counts(pool, broker.Counts{Scheduled: 2})
		r.none()
		r.put("c") // others pass them
	}},
	{name: "times in no order", run: func(r *rig) {
		now := time.Now()
		in := func(d time.Duration) func(*broker.Message) {
			return func(m *broker.Message) { m.NotBefore = now.Add(d) }
		}
		r.enqueue(message("third", in(time.Second)), message("first", in(0)), message("second", in(500*time.Millisecond)))
		seen := map[string]bool{}
		for range 3 {
			l := r.lease(1)[0]
			if early := time.Until(l.NotBefore); early > 30*time.Millisecond {
				r.Fatalf("%s was leased %v early", l.Task.ID, early)
			}
			seen[l.Task.ID] = true
		}
		if len(seen) != 3 {
			r.Fatalf("leased %v", seen)
		}
	}},
	{name: "one that waits expires", run: func(r *rig) {
		r.ok(r.Pause(r.ctx, pool, true)) // so that it waits
		m := message("a", expiresIn(200*time.Millisecond))
		results := r.watch("a")
		r.enqueue(m)
		res := r.receive(results)
		if early := time.Until(m.Expires); early > 30*time.Millisecond {
			r.Fatalf("it expired %v early", early)
		}
		if res.Status != task.Expired || res.Err == nil || res.Err.Kind != task.KindExpired || res.Started != 0 || res.Task.ID != "a" {
			r.Fatalf("result is %+v (%v)", res, res.Err)
		}
		r.state("a", task.StateExpired)
		r.counts(pool, broker.Counts{Paused: true})
		r.ok(r.Pause(r.ctx, pool, false))
		r.none()
	}},
	{name: "one that is scheduled expires", run: func(r *rig) {
		r.enqueue(message("a", inAnHour, expiresIn(200*time.Millisecond)))
		if res := r.result("a"); res.Status != task.Expired {
			r.Fatalf("result is %+v", res)
		}
		r.counts(pool, broker.Counts{})
	}},
	{name: "one that has been given back unstarted expires", run: func(r *rig) {
		l := r.putExpiring(200 * time.Millisecond)
		r.ok(r.Nack(r.ctx, l, time.Hour))
		if res := r.result(l.Task.ID); res.Status != task.Expired {
			r.Fatalf("result is %+v", res)
		}
	}},
	{name: "one that is of no use when it comes", run: func(r *rig) {
		r.ok(r.Pause(r.ctx, pool, true))
		r.enqueue(message("a", expiresIn(-time.Hour)))
		if res := r.result("a"); res.Status != task.Expired {
			r.Fatalf("result is %+v", res)
		}
	}},
	{name: "one that has been started does not", run: func(r *rig) {
		l := r.putExpiring(200 * time.Millisecond)
		l.History.Starts = 1
		r.ok(r.Nack(r.ctx, l, time.Until(l.Expires)+200*time.Millisecond))
		r.again(l.Task.ID, 2, 1)
	}},
	{name: "one that is leased does not", run: func(r *rig) {
		// Another that expires at the same time shows when that has come.
		l := r.putExpiring(200 * time.Millisecond)
		r.enqueue(message("other", inAnHour, func(m *broker.Message) { m.Expires = l.Expires }))
		r.result("other")
		r.state(l.Task.ID, task.StateRunning)
		r.ack(l)
		r.state(l.Task.ID, task.StateCompleted)
	}},
	{name: "others stay", run: func(r *rig) {
		r.ok(r.Pause(r.ctx, pool, true))
		r.enqueue(message("a", expiresIn(200*time.Millisecond)), message("b"), message("c", expiresIn(time.Hour)))
		r.result("a")
		r.ok(r.Pause(r.ctx, pool, false))
		r.order([]string{"b", "c"}, 1)
	}},
}

func expiresIn(d time.Duration) func(*broker.Message) {
	return func(m *broker.Message) { m.Expires = time.Now().Add(d) }
}

// putExpiring leases a new task that expires so soon. On a machine that is too slow for that
// it gets more time.
func (r *rig) putExpiring(d time.Duration) *broker.Lease {
	r.Helper()
	for i := 0; ; i++ {
		r.enqueue(message(fmt.Sprint("t", i), expiresIn(d)))
		if leases, _ := r.tryLease(pool, 2*d); len(leases) > 0 {
			return leases[0]
		}
		d *= 2
	}
}
