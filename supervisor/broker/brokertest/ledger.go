package brokertest

import (
	"sync"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

var ledgerTests = []test{
	{name: "get in every state", run: func(r *rig) {
		_, err := r.Get(r.ctx, "a")
		r.want(err, broker.ErrNotFound)
		r.enqueue(message("a"))
		r.state("a", task.StateQueued)
		l := r.take("a")
		r.state("a", task.StateRunning)
		r.ok(r.Nack(r.ctx, l, 0))
		r.state("a", task.StateQueued)
		l = r.take("a")
		r.state("a", task.StateRunning)
		l.History = broker.History{Starts: 1, Attempts: attempts[:1]}
		r.ok(r.Nack(r.ctx, l, time.Hour))
		r.state("a", task.StateRetrying)
		r.same("history", r.get("a").Message.History, l.History)
		r.enqueue(message("scheduled", inAnHour))
		r.state("scheduled", task.StateQueued)
		for s, want := range map[task.Status]task.State{
			task.Completed: task.StateCompleted, task.Dead: task.StateDead, task.Rejected: task.StateDead,
			task.Cancelled: task.StateCancelled, task.Expired: task.StateExpired,
		} {
			l := r.put(string(s))
			r.end(s, l)
			r.state(string(s), want)
			rec := r.get(string(s))
			if rec.Result.Status != s || rec.Message.Task.ID != string(s) || rec.Message.Pool != pool {
				r.Fatalf("record is %+v, result %+v", rec, rec.Result)
			}
		}
	}},
	{name: "a result that is awaited", run: func(r *rig) {
		r.enqueue(message("a"))
		results := r.watch("a")
		l := r.take("a")
		r.nothing(results)
		r.ack(l)
		if res := r.receive(results); res.Status != task.Completed || string(res.Payload) != "answer to a" {
			r.Fatalf("result is %+v", res)
		}
		_ = r.Ack(r.ctx, []broker.Answer{answer(l, task.Dead)})
		r.nothing(results) // it was the one
	}},
	{name: "a result that is there", run: func(r *rig) {
		r.ack(r.put("a"))
		for range 3 {
			results := r.watch("a")
			if res := r.receive(results); res.Status != task.Completed {
				r.Fatalf("result is %+v", res)
			}
			r.nothing(results)
		}
	}},
	{name: "a result of a task to come", run: func(r *rig) {
		results := r.watch("a")
		r.nothing(results)
		r.ack(r.put("a"))
		r.receive(results)
	}},
	{name: "many wait for the same", run: func(r *rig) {
		var all []<-chan task.Result
		for range 100 {
			all = append(all, r.watch("a"))
		}
		r.ack(r.put("a"))
		for _, results := range all {
			r.receive(results)
		}
	}},
	{name: "one of many stops", run: func(r *rig) {
		first := r.watch("a")
		results := make(chan task.Result, 1)
		stop, err := r.OnResult(r.ctx, "a", func(res task.Result) { results <- res })
		r.ok(err)
		last := r.watch("a")
		stop()
		stop()
		r.ack(r.put("a"))
		r.receive(first)
		r.receive(last)
		r.nothing(results)
	}},
	{name: "stopping when it is over", run: func(r *rig) {
		r.ack(r.put("a"))
		results := make(chan task.Result, 1)
		stop, err := r.OnResult(r.ctx, "a", func(res task.Result) { results <- res })
		r.ok(err)
		r.receive(results)
		stop()
	}},
	{name: "results come while others begin to wait", run: func(r *rig) {
		for range 20 {
			id := time.Now().String()
			l := r.put(id)
			channels := make([]<-chan task.Result, 8)
			var both sync.WaitGroup
			for i := range channels {
				both.Go(func() {
					results := make(chan task.Result, 10)
					channels[i] = results
					if _, err := r.OnResult(r.ctx, id, func(res task.Result) { results <- res }); err != nil {
						r.Error(err)
					}
				})
			}
			both.Go(func() {
				if err := one(r.Ack(r.ctx, []broker.Answer{answer(l, task.Completed)})); err != nil {
					r.Error(err)
				}
			})
			both.Wait()
			for _, results := range channels {
				r.receive(results)
			}
		}
	}},
}

// nothing looks whether no result comes.
func (r *rig) nothing(results <-chan task.Result) {
	r.Helper()
	r.noneFrom("nowhere") // a while
	select {
	case res := <-results:
		r.Fatalf("got a result: %+v", res)
	default:
	}
}
