package brokertest

import (
	"context"
	"fmt"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

var cancelTests = []test{
	{name: "one that is queued", run: func(r *rig) {
		r.enqueue(message("a"), message("b"))
		r.cancelled("a", 0)
		r.take("b")
		r.none()
		r.counts(pool, broker.Counts{Leased: 1})
	}},
	{name: "one that is scheduled", run: func(r *rig) {
		r.enqueue(message("a", inAnHour))
		r.cancelled("a", 0)
		r.counts(pool, broker.Counts{})
	}},
	{name: "one that waits for its next attempt", run: func(r *rig) {
		l := r.put("a")
		l.History = broker.History{Starts: 1, Attempts: attempts[:1]}
		r.ok(r.Nack(r.ctx, l, time.Hour))
		res := r.cancelled("a", 1)
		r.same("attempts", res.Attempts, attempts[:1])
		r.counts(pool, broker.Counts{})
	}},
	{name: "one of a paused pool", run: func(r *rig) {
		r.ok(r.Pause(r.ctx, pool, true))
		r.enqueue(message("a"))
		r.cancelled("a", 0)
		r.ok(r.Pause(r.ctx, pool, false))
		r.none()
	}},
	{name: "all that wait", run: func(r *rig) {
		const n = 300
		r.enqueue(several("t", n)...)
		for i := range n {
			if i != n/2 {
				r.ok(r.Cancel(r.ctx, fmt.Sprint("t", i)))
			}
		}
		r.ack(r.take(fmt.Sprint("t", n/2)))
		r.none()
		r.counts(pool, broker.Counts{})
	}},
	{name: "one that is leased", run: func(r *rig) {
		notices := r.notices(r.ctx)
		l := r.put("a")
		r.put("b")
		r.ok(r.Cancel(r.ctx, "a"))
		r.notice(notices, "a")
		r.state("a", task.StateRunning) // that is its holder's to say
		r.end(task.Cancelled, l)
		r.state("a", task.StateCancelled)
		r.want(r.Cancel(r.ctx, "a"), broker.ErrFinished)
		r.state("b", task.StateRunning)
	}},
	{name: "one that was about to be finished", run: func(r *rig) {
		l := r.put("a")
		r.ok(r.Cancel(r.ctx, "a"))
		r.ack(l)
		r.state("a", task.StateCompleted)
	}},
	{name: "one whose holder gives it back", run: func(r *rig) {
		l := r.put("a")
		r.ok(r.Cancel(r.ctx, "a"))
		r.ok(r.Nack(r.ctx, l, 0))
		r.endsCancelled("a", 0)
	}},
	{name: "one whose lease lapses", settings: lapsing, run: func(r *rig) {
		r.put("a")
		r.ok(r.Cancel(r.ctx, "a"))
		r.endsCancelled("a", 1)
	}},
	{name: "one whose holder is closed", settings: lapsing, run: func(r *rig) {
		r.need(r.kit.Durable, "durable")
		r.put("a", unique("k"))
		r.ok(r.Cancel(r.ctx, "a"))
		r.ok(r.Close())
		r = r.on(r.open())
		r.endsCancelled("a", 1)
		r.enqueue(message("b", unique("k")))
	}},
	{name: "one that died all the same, and lives again", settings: lapsing, run: func(r *rig) {
		l := r.put("a")
		r.ok(r.Cancel(r.ctx, "a"))
		r.end(task.Dead, l)
		r.ok(r.Revive(r.ctx, "a"))
		r.take("a")
		r.again("a", 2, 1)
	}},
	{name: "many that are leased", run: func(r *rig) {
		notices := r.notices(r.ctx)
		const n = 200
		r.enqueue(several("t", n)...)
		r.lease(n)
		missing := map[string]bool{}
		for i := range n { // while nobody listens
			id := fmt.Sprint("t", i)
			missing[id] = true
			r.ok(r.Cancel(r.ctx, id))
		}
		for len(missing) > 0 {
			select {
			case notice := <-notices:
				delete(missing, notice.Cancel)
			case <-r.ctx.Done():
				r.Fatalf("no notice of %v", missing)
			}
		}
	}},
	{name: "every channel gets its notices", run: func(r *rig) {
		first, second := r.notices(r.ctx), r.notices(r.ctx)
		r.put("a")
		r.ok(r.Cancel(r.ctx, "a"))
		r.notice(first, "a")
		r.notice(second, "a")
	}},
	{name: "a channel of notices ends with its context", run: func(r *rig) {
		ctx, cancel := context.WithCancel(r.ctx)
		ended, unread, other := r.notices(ctx), r.notices(ctx), r.notices(r.ctx)
		r.put("a")
		r.ok(r.Cancel(r.ctx, "a"))
		r.notice(ended, "a")
		cancel()
		r.closed(ended)
		r.closed(unread)
		r.put("b")
		r.ok(r.Cancel(r.ctx, "b"))
		r.notice(other, "b")
	}},
	{name: "one that is finished", run: func(r *rig) {
		for _, s := range []task.Status{task.Completed, task.Dead, task.Cancelled, task.Expired, task.Rejected} {
			r.end(s, r.put(string(s)))
			r.want(r.Cancel(r.ctx, string(s)), broker.ErrFinished)
		}
	}},
	{name: "one that nobody knows", run: func(r *rig) {
		r.want(r.Cancel(r.ctx, "a"), broker.ErrNotFound)
		r.put("a") // which was not meant
	}},
}

// cancelled cancels a task that waits and returns its result.
func (r *rig) cancelled(id string, started int) task.Result {
	r.Helper()
	results := r.watch(id)
	r.ok(r.Cancel(r.ctx, id))
	r.state(id, task.StateCancelled)
	res := r.receive(results)
	if res.Task.ID != id || res.Status != task.Cancelled || res.Err == nil || res.Err.Kind != task.KindCancelled || res.Started != started {
		r.Fatalf("result is %+v (%v)", res, res.Err)
	}
	r.want(r.Cancel(r.ctx, id), broker.ErrFinished)
	return res
}

// endsCancelled has somebody lease, who must not get the task that is to be cancelled, but one that comes later.
func (r *rig) endsCancelled(id string, started int) {
	r.Helper()
	results := r.watch(id)
	wait := r.leaseLater(pool, 1)
	if res := r.receive(results); res.Task.ID != id || res.Status != task.Cancelled || res.Err == nil || res.Err.Kind != task.KindCancelled || res.Started != started {
		r.Fatalf("result is %+v (%v)", res, res.Err)
	}
	r.state(id, task.StateCancelled)
	r.enqueue(message("later"))
	if l := wait(); len(l) != 1 || l[0].Task.ID != "later" {
		r.Fatalf("leased %q (delivery %d)", l[0].Task.ID, l[0].Delivery)
	}
	r.want(r.Cancel(r.ctx, id), broker.ErrFinished)
	r.counts(pool, broker.Counts{Leased: 1})
}

func (r *rig) notices(ctx context.Context) <-chan broker.Notice {
	r.Helper()
	notices, err := r.Notices(ctx)
	r.ok(err)
	return notices
}

// notice waits for one about that task; there may be others.
func (r *rig) notice(notices <-chan broker.Notice, id string) {
	r.Helper()
	for {
		select {
		case notice, ok := <-notices:
			if !ok {
				r.Fatalf("the channel was closed before a notice of %s", id)
			}
			if notice.Cancel == id {
				return
			}
		case <-r.ctx.Done():
			r.Fatalf("no notice of %s", id)
		}
	}
}

// closed waits until a channel of notices ends.
func (r *rig) closed(notices <-chan broker.Notice) {
	r.Helper()
	for {
		select {
		case _, ok := <-notices:
			if !ok {
				return
			}
		case <-r.ctx.Done():
			r.Fatal("the channel is not closed")
		}
	}
}
