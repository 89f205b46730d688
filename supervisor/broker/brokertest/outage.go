package brokertest

import (
	"context"
	"errors"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

var outageTests = []test{
	{name: "calls say that it is unavailable", run: outage(func(r *rig) {
		r.enqueue(message("a"), message("b"))
		l := r.take("a")
		r.store.Break(r.test)
		r.until("unhealthy", func() bool { return r.Health() != nil })
		r.want(r.Health(), broker.ErrUnavailable)
		for what, call := range map[string]func(context.Context) error{
			"Enqueue": func(ctx context.Context) error { return one(r.Enqueue(ctx, []*broker.Message{message("c")})) },
			"Begin":   func(ctx context.Context) error { return r.Begin(ctx, l) },
			"Ack":     func(ctx context.Context) error { return one(r.Ack(ctx, answers([]*broker.Lease{l}))) },
			"Cancel":  func(ctx context.Context) error { return r.Cancel(ctx, "b") },
			"Pause":   func(ctx context.Context) error { return r.Pause(ctx, "others", true) },
		} {
			ctx, cancel := context.WithTimeout(r.ctx, time.Second)
			err := call(ctx)
			cancel()
			if !errors.Is(err, broker.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) {
				r.Errorf("%s: got %v, want that it is unavailable", what, err)
			}
		}
		r.store.Mend(r.test)
		r.until("healthy", func() bool { return r.Health() == nil })
	})},
	{name: "what was acknowledged is there afterwards", settings: lapsing, run: outage(func(r *rig) {
		r.enqueue(several("t", 50)...)
		r.ack(r.take("t0"))
		r.end(task.Dead, r.take("t1"))
		r.ok(r.Cancel(r.ctx, "t2"))
		r.enqueue(message("later", inAnHour))
		r.store.Break(r.test)
		r.store.Mend(r.test)
		r.until("healthy", func() bool { return r.Health() == nil })
		for i := 3; i < 50; i++ {
			r.ack(r.lease(1)...)
		}
		r.state("t0", task.StateCompleted)
		r.state("t1", task.StateDead)
		r.state("t2", task.StateCancelled)
		r.state("later", task.StateQueued)
		r.letters("", 10, "t1")
		r.counts(pool, broker.Counts{Scheduled: 1, Dead: 1})
	})},
	{name: "those who wait go on waiting", run: outage(func(r *rig) {
		results := r.watch("a")
		notices := r.notices(r.ctx)
		r.store.Break(r.test)
		r.until("unhealthy", func() bool { return r.Health() != nil })
		r.store.Mend(r.test)
		r.until("healthy", func() bool { return r.Health() == nil })
		l := r.put("a")
		r.ok(r.Cancel(r.ctx, "a"))
		r.notice(notices, "a")
		r.ack(l)
		r.receive(results)
	})},
	{name: "an answer can be given afterwards", run: outage(func(r *rig) {
		l := r.put("a")
		r.store.Break(r.test)
		ctx, cancel := context.WithTimeout(r.ctx, glimpse)
		defer cancel()
		if one(r.Ack(ctx, answers([]*broker.Lease{l}))) == nil {
			r.Fatal("stored while the store was down")
		}
		r.store.Mend(r.test)
		r.until("answered", func() bool {
			err := one(r.Ack(r.ctx, answers([]*broker.Lease{l})))
			return err == nil || errors.Is(err, broker.ErrFinished)
		})
		r.state("a", task.StateCompleted)
	})},
	{name: "in the middle of traffic", settings: lapsing, run: outage(func(r *rig) {
		r.traffic([]*rig{r}, 500, func() {
			for range 3 {
				r.noneFrom("nowhere") // a while
				r.store.Break(r.test)
				r.until("unhealthy", func() bool { return r.Health() != nil })
				r.store.Mend(r.test)
				r.until("healthy", func() bool { return r.Health() == nil })
			}
		})
	})},
}

// outage runs a test in which the store breaks.
func outage(run func(*rig)) func(*rig) {
	return func(r *rig) {
		r.need(r.store.Break != nil && r.store.Mend != nil, "one that can be broken")
		run(r)
	}
}
