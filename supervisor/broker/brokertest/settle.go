package brokertest

import (
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

var ackTests = []test{
	{name: "a result is stored once", run: func(r *rig) {
		l := r.put("a")
		r.ack(l)
		second := answer(l, task.Dead)
		r.want(one(r.Ack(r.ctx, []broker.Answer{second})), broker.ErrFinished)
		r.state("a", task.StateCompleted)
		if got := r.result("a"); got.Status != task.Completed || string(got.Payload) != "answer to a" {
			r.Fatalf("result is %+v", got)
		}
		_, err := r.DeadLetter(r.ctx, "a")
		r.want(err, broker.ErrNotFound)
	}},
	{name: "an error for each", run: func(r *rig) {
		r.enqueue(message("a"), message("b"), message("c"))
		leases := r.lease(3)
		r.ack(leases[1])
		var answers []broker.Answer
		for _, l := range leases {
			answers = append(answers, answer(l, task.Completed))
		}
		errs := r.Ack(r.ctx, answers)
		if len(errs) != 3 || errs[0] != nil || errs[2] != nil {
			r.Fatalf("got %v, want one error, in the middle", errs)
		}
		r.want(errs[1], broker.ErrFinished)
		for _, id := range []string{"a", "b", "c"} {
			r.state(id, task.StateCompleted)
		}
	}},
	{name: "the same answer twice in a batch", run: func(r *rig) {
		a := answer(r.put("a"), task.Completed)
		errs := r.Ack(r.ctx, []broker.Answer{a, a})
		if len(errs) != 2 || errs[0] != nil {
			r.Fatalf("got %v, want one error, for the second", errs)
		}
		r.want(errs[1], broker.ErrFinished)
	}},
	{name: "it ends the lease", run: func(r *rig) {
		l := r.put("a")
		r.ack(l)
		r.want(one(r.Extend(r.ctx, []*broker.Lease{l})), broker.ErrLost)
		r.want(r.Begin(r.ctx, l), broker.ErrLost)
		r.want(r.Nack(r.ctx, l, 0), broker.ErrLost)
		r.none()
		r.counts(pool, broker.Counts{})
	}},
	{name: "the dead and the rejected become dead letters", run: func(r *rig) {
		for _, s := range []task.Status{task.Dead, task.Rejected} {
			r.end(s, r.put(string(s)))
			letter, err := r.DeadLetter(r.ctx, string(s))
			r.ok(err)
			if letter.Result.Status != s || letter.Message.Task.ID != string(s) {
				r.Fatalf("letter is %+v", letter)
			}
		}
		for _, s := range []task.Status{task.Completed, task.Cancelled, task.Expired} {
			r.end(s, r.put(string(s)))
			_, err := r.DeadLetter(r.ctx, string(s))
			r.want(err, broker.ErrNotFound)
		}
	}},
	{name: "results are kept for their time", settings: shortLived, run: func(r *rig) {
		l := r.put("a")
		before := time.Now()
		r.ack(l)
		r.forgotten("a")
		if kept := time.Since(before); kept < 900*time.Millisecond {
			r.Fatalf("the result was kept for %v", kept)
		}
		_, err := r.Get(r.ctx, "a")
		r.want(err, broker.ErrNotFound)
		r.want(r.Cancel(r.ctx, "a"), broker.ErrNotFound)
		r.until("the id is free again", func() bool { return one(r.Enqueue(r.ctx, []*broker.Message{message("a")})) == nil })
		r.take("a")
	}},
}

var nackTests = []test{
	{name: "at once", run: func(r *rig) {
		r.ok(r.Nack(r.ctx, r.put("a"), 0))
		r.again("a", 2, 0)
	}},
	{name: "after a delay", run: func(r *rig) {
		const delay = 300 * time.Millisecond
		l := r.put("a")
		before := time.Now()
		r.ok(r.Nack(r.ctx, l, delay))
		r.again("a", 2, 0)
		if waited := time.Since(before); waited < delay*9/10 {
			r.Fatalf("it came back after %v, want %v", waited, delay)
		}
	}},
	{name: "after a long delay", run: func(r *rig) {
		r.ok(r.Nack(r.ctx, r.put("a"), time.Hour))
		r.counts(pool, broker.Counts{Scheduled: 1})
		r.none()
	}},
	{name: "others pass one that is delayed", run: func(r *rig) {
		r.ok(r.Nack(r.ctx, r.put("a"), time.Hour))
		r.put("b")
	}},
	{name: "with its history", run: func(r *rig) {
		l := r.put("a")
		for _, n := range []int{1, 2} {
			l.History = broker.History{Starts: n, Crashes: n - 1, Attempts: attempts[:n]}
			want := l.History
			r.ok(r.Nack(r.ctx, l, 0))
			l = r.again("a", n+1, n)
			r.same("history", l.History, want)
		}
	}},
	{name: "a history that others go on with", run: func(r *rig) {
		l := r.put("a")
		own := append(make([]task.Attempt, 0, 10), attempts...)
		l.History = broker.History{Starts: 2, Attempts: own}
		r.ok(r.Nack(r.ctx, l, 0))
		own[0].Message = "overwritten"
		r.same("attempts", r.take("a").History.Attempts, attempts)
	}},
	{name: "no attempt is counted that was not told", run: func(r *rig) {
		for n := 1; n < 5; n++ {
			var l *broker.Lease
			if n == 1 {
				l = r.put("a")
			} else {
				l = r.again("a", n, 0)
			}
			r.ok(r.Nack(r.ctx, l, 0))
		}
	}},
	{name: "begun, and told that it was not", run: func(r *rig) {
		l := r.put("a")
		r.ok(r.Begin(r.ctx, l))
		l.History.Starts = 0
		r.ok(r.Nack(r.ctx, l, 0))
		r.again("a", 2, 0)
	}},
	{name: "twice", run: func(r *rig) {
		l := r.put("a")
		r.ok(r.Nack(r.ctx, l, time.Hour))
		r.want(r.Nack(r.ctx, l, 0), broker.ErrLost)
		r.none()
	}},
}
