package brokertest

import (
	"fmt"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

var enqueueTests = []test{
	{name: "a batch is stored", run: func(r *rig) {
		var batch []*broker.Message
		for i := range 100 {
			batch = append(batch, message(fmt.Sprint("t", i)))
		}
		r.enqueue(batch...)
		seen := map[string]bool{}
		for _, l := range r.lease(100) {
			seen[l.Task.ID] = true
		}
		if len(seen) != 100 {
			r.Fatalf("%d different tasks, want 100", len(seen))
		}
		r.none()
	}},
	{name: "no message at all", run: func(r *rig) {
		if errs := r.Enqueue(r.ctx, nil); len(errs) != 0 {
			r.Fatal(errs)
		}
	}},
	{name: "submitted is filled in", run: func(r *rig) {
		before := time.Now().Add(-time.Millisecond)
		m := message("a")
		r.enqueue(m)
		if m.Submitted.Before(before) || m.Submitted.After(time.Now()) {
			r.Fatalf("submitted %v, which is not now", m.Submitted)
		}
		if l := r.take("a"); !l.Submitted.Equal(m.Submitted) {
			r.Fatalf("leased with %v, enqueued with %v", l.Submitted, m.Submitted)
		}
	}},
	{name: "submitted is kept", run: func(r *rig) {
		at := time.Now().Add(-time.Hour)
		m := message("a", func(m *broker.Message) { m.Submitted = at })
		r.enqueue(m)
		if l := r.take("a"); !l.Submitted.Equal(at) || !m.Submitted.Equal(at) {
			r.Fatalf("leased with %v, enqueued with %v", l.Submitted, at)
		}
	}},
	{name: "a queued id is a duplicate", run: func(r *rig) {
		r.enqueue(message("a"))
		r.want(r.refuse(message("a")), broker.ErrDuplicate)
		r.ack(r.take("a"))
		r.none()
	}},
	{name: "a scheduled id is a duplicate", run: func(r *rig) {
		r.enqueue(message("a", inAnHour))
		r.want(r.refuse(message("a")), broker.ErrDuplicate)
		r.none()
	}},
	{name: "a leased id is a duplicate", run: func(r *rig) {
		r.put("a")
		r.want(r.refuse(message("a")), broker.ErrDuplicate)
		r.none()
	}},
	{name: "an id that was given back is a duplicate", run: func(r *rig) {
		r.ok(r.Nack(r.ctx, r.put("a"), time.Hour))
		r.want(r.refuse(message("a")), broker.ErrDuplicate)
		r.none()
	}},
	{name: "a finished id is a duplicate", run: func(r *rig) {
		for i, s := range []task.Status{task.Completed, task.Dead, task.Rejected, task.Expired, task.Cancelled} {
			id := fmt.Sprint("t", i)
			r.end(s, r.put(id))
			r.want(r.refuse(message(id)), broker.ErrDuplicate)
		}
		r.none()
	}},
	{name: "an id is a duplicate in another pool", run: func(r *rig) {
		r.enqueue(message("a"))
		r.want(r.refuse(message("a", inPool("others"))), broker.ErrDuplicate)
		r.noneFrom("others")
	}},
	{name: "the first of two in a batch is stored", run: func(r *rig) {
		second := message("a", func(m *broker.Message) { m.Task.Payload = []byte("second") })
		errs := r.Enqueue(r.ctx, []*broker.Message{message("a"), second, message("b")})
		if len(errs) != 3 || errs[0] != nil || errs[2] != nil {
			r.Fatalf("got %v, want one error, in the middle", errs)
		}
		r.want(errs[1], broker.ErrDuplicate)
		if l := r.take("a"); string(l.Task.Payload) != "payload of a" {
			r.Fatalf("payload is that of the second: %q", l.Task.Payload)
		}
		r.take("b")
		r.none()
	}},
	{name: "a full queue", settings: func(Kit) Settings { return Settings{QueueSize: 3} }, run: func(r *rig) {
		r.enqueue(message("a"), message("b"))
		errs := r.Enqueue(r.ctx, []*broker.Message{message("c"), message("d")})
		if len(errs) != 2 || errs[0] != nil {
			r.Fatalf("got %v, want one error, for the fourth", errs)
		}
		r.want(errs[1], broker.ErrFull)
		r.want(r.refuse(message("d")), broker.ErrFull)
		r.want(r.refuse(message("a")), broker.ErrDuplicate) // full or not: it is there
		r.enqueue(message("elsewhere", inPool("others")))
		r.ack(r.take("a"))
		r.until("room for the next", func() bool { return one(r.Enqueue(r.ctx, []*broker.Message{message("d")})) == nil })
		for _, id := range []string{"b", "c", "d"} {
			r.ack(r.take(id))
		}
		r.none()
	}},
	{name: "a full queue takes back what is leased", settings: func(Kit) Settings { return Settings{QueueSize: 3} }, run: func(r *rig) {
		r.enqueue(message("a"), message("b"), message("c"))
		l := r.take("a")
		_ = r.Enqueue(r.ctx, []*broker.Message{message("d")}) // whether leased tasks count or not
		r.ok(r.Nack(r.ctx, l, 0))
		r.take("a")
	}},
}

func inAnHour(m *broker.Message) { m.NotBefore = time.Now().Add(time.Hour) }

func inPool(name string) func(*broker.Message) {
	return func(m *broker.Message) { m.Pool = name }
}
