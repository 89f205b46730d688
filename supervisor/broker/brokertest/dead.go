package brokertest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

var deadTests = []test{
	{name: "none", run: func(r *rig) {
		r.letters("", 10)
		r.letters("nowhere", 10)
		_, err := r.DeadLetter(r.ctx, "a")
		r.want(err, broker.ErrNotFound)
		r.want(r.Revive(r.ctx, "a"), broker.ErrNotFound)
		r.want(r.Bury(r.ctx, "a"), broker.ErrNotFound)
	}},
	{name: "the whole record", run: func(r *rig) {
		before := time.Now().Add(-time.Second)
		l := r.put("a", everything)
		l.History = broker.History{Starts: 3, Crashes: 2, Attempts: attempts}
		r.end(task.Dead, l)
		letter, err := r.DeadLetter(r.ctx, "a")
		r.ok(err)
		r.same("message", letter.Message, l.Message)
		r.same("result", letter.Result, *answer(l, task.Dead).Result)
		if letter.Died.Before(before) || letter.Died.After(time.Now().Add(time.Second)) {
			r.Fatalf("died at %v, which is not now", letter.Died)
		}
		listed, _, err := r.Dead(r.ctx, pool, "", 1)
		r.ok(err)
		r.same("listed letter", listed, []broker.DeadLetter{letter})
	}},
	{name: "listed by age and pool", run: func(r *rig) {
		var all, ours []string
		for i := range 25 {
			id := fmt.Sprint("t", i)
			all = append(all, id)
			if i%3 == 0 {
				r.enqueue(message(id, inPool("others")))
				r.end(task.Dead, r.leaseFrom("others", 1)...)
				continue
			}
			ours = append(ours, id)
			r.end(task.Dead, r.put(id))
		}
		for _, n := range []int{1, 7, 25, 100} {
			r.letters("", n, all...)
			r.letters(pool, n, ours...)
		}
	}},
	{name: "a listing goes on while letters come and go", run: func(r *rig) {
		for i := range 6 {
			r.end(task.Dead, r.put(fmt.Sprint("t", i)))
		}
		page, next, err := r.Dead(r.ctx, pool, "", 2)
		r.ok(err)
		if len(page) != 2 || next == "" {
			r.Fatalf("%d letters, then %q", len(page), next)
		}
		for _, id := range []string{"t0", "t1", "t3"} { // with the one that the cursor may stand on
			r.ok(r.Bury(r.ctx, id))
		}
		r.end(task.Dead, r.put("t6"))
		got := r.pages(pool, next, 2)
		if !slices.Equal(got, []string{"t2", "t4", "t5", "t6"}) {
			r.Fatalf("then %q", got)
		}
	}},
	{name: "revived", run: func(r *rig) {
		m := message("a", everything)
		m.Expires = time.Time{}
		r.enqueue(m)
		l := r.take("a")
		l.History = broker.History{Starts: 3, Crashes: 2, Attempts: attempts}
		r.end(task.Dead, l)
		r.ok(r.Revive(r.ctx, "a"))
		_, err := r.DeadLetter(r.ctx, "a")
		r.want(err, broker.ErrNotFound)
		r.want(r.Revive(r.ctx, "a"), broker.ErrNotFound)
		r.state("a", task.StateQueued)
		results := r.watch("a")
		r.nothing(results)
		l = r.again("a", 1, 0)
		r.same("history", l.History, broker.History{})
		r.same("task", l.Task, m.Task)
		l.Submitted = m.Submitted // whether it is counted anew or not
		m.History = broker.History{}
		r.same("message", l.Message, *m)
		r.counts(pool, broker.Counts{Leased: 1})
		r.ack(l)
		if res := r.receive(results); res.Status != task.Completed {
			r.Fatalf("result is %+v", res)
		}
		r.letters("", 10)
	}},
	{name: "revived, and dead again", run: func(r *rig) {
		r.end(task.Dead, r.put("a"))
		r.end(task.Dead, r.put("b"))
		r.ok(r.Revive(r.ctx, "a"))
		r.end(task.Rejected, r.take("a"))
		r.letters("", 10, "b", "a")
		letter, err := r.DeadLetter(r.ctx, "a")
		r.ok(err)
		if letter.Result.Status != task.Rejected {
			r.Fatalf("letter is %+v", letter)
		}
	}},
	{name: "an answer to what was revived meanwhile", run: func(r *rig) {
		old := r.put("a")
		r.end(task.Dead, old)
		r.ok(r.Revive(r.ctx, "a"))
		r.want(one(r.Extend(r.ctx, []*broker.Lease{old})), broker.ErrLost)
		r.want(r.Nack(r.ctx, old, 0), broker.ErrLost)
		r.ack(r.take("a"))
		r.none()
	}},
	{name: "revived with its unique key", run: func(r *rig) {
		r.end(task.Dead, r.put("a", unique("k")))
		l := r.put("b", unique("k"))
		r.isHeld(r.Revive(r.ctx, "a"), "k", "b")
		r.state("a", task.StateDead) // nothing has changed
		r.letters("", 10, "a")
		r.ack(l)
		r.ok(r.Revive(r.ctx, "a"))
		r.held(message("c", unique("k")), "a")
	}},
	{name: "revived into a full queue", settings: func(Kit) Settings { return Settings{QueueSize: 1} }, run: func(r *rig) {
		r.end(task.Dead, r.put("a"))
		r.until("room for another", func() bool { return one(r.Enqueue(r.ctx, []*broker.Message{message("b")})) == nil })
		r.want(r.Revive(r.ctx, "a"), broker.ErrFull)
		r.state("a", task.StateDead)
		r.letters("", 10, "a")
		r.ack(r.take("b"))
		r.until("room for it", func() bool { return r.Revive(r.ctx, "a") == nil })
		r.ack(r.take("a"))
	}},
	{name: "buried", run: func(r *rig) {
		r.end(task.Dead, r.put("a"))
		r.end(task.Dead, r.put("b"))
		r.ok(r.Bury(r.ctx, "a"))
		r.letters("", 10, "b")
		_, err := r.DeadLetter(r.ctx, "a")
		r.want(err, broker.ErrNotFound)
		r.want(r.Bury(r.ctx, "a"), broker.ErrNotFound)
		r.want(r.Revive(r.ctx, "a"), broker.ErrNotFound)
		r.state("a", task.StateDead) // its result stays
		r.want(r.refuse(message("a")), broker.ErrDuplicate)
	}},
	{name: "revived for one who waits", run: func(r *rig) {
		r.end(task.Dead, r.put("a"))
		wait := r.leaseLater(pool, 1)
		r.none() // so that it waits, most likely
		r.ok(r.Revive(r.ctx, "a"))
		if l := wait(); l[0].Task.ID != "a" {
			r.Fatalf("leased %q", l[0].Task.ID)
		}
	}},
	{name: "who waited for the first result hears no second", run: func(r *rig) {
		results := r.watch("a")
		r.end(task.Dead, r.put("a"))
		r.receive(results)
		r.ok(r.Revive(r.ctx, "a"))
		r.ack(r.take("a"))
		r.result("a")
		r.nothing(results)
	}},
	{name: "revived, it outlives its first result's time", settings: shortLived, run: func(r *rig) {
		r.end(task.Dead, r.put("a"))
		r.ok(r.Revive(r.ctx, "a"))
		r.enqueue(message("b", priority(1)))
		r.counts(pool, broker.Counts{Queued: 2}) // of two priorities; see queue
		r.ack(r.take("b"))
		r.forgotten("b") // whose result is younger than that one
		r.state("a", task.StateQueued)
		r.take("a")
	}},
	{name: "one letter of an id that died again", settings: shortLived, run: func(r *rig) {
		r.end(task.Dead, r.put("a"))
		r.forgotten("a")
		r.until("the id is free", func() bool { return one(r.Enqueue(r.ctx, []*broker.Message{message("a")})) == nil })
		r.end(task.Rejected, r.take("a"))
		r.letters("", 10, "a")
		letter, err := r.DeadLetter(r.ctx, "a")
		r.ok(err)
		if letter.Result.Status != task.Rejected {
			r.Fatalf("letter is %+v", letter)
		}
		r.counts(pool, broker.Counts{Dead: 1})
	}},
	{name: "a letter outlives its result", settings: shortLived, run: func(r *rig) {
		r.end(task.Dead, r.put("a"))
		r.forgotten("a")
		r.letters("", 10, "a")
		r.until("it can be revived", func() bool { return r.Revive(r.ctx, "a") == nil })
		r.ack(r.take("a"))
	}},
}

func shortLived(Kit) Settings { return Settings{ResultTTL: time.Second} }

// forgotten waits until a result is dropped.
func (r *rig) forgotten(id string) {
	r.Helper()
	r.until("the result is dropped", func() bool {
		_, err := r.Get(r.ctx, id)
		return errors.Is(err, broker.ErrNotFound)
	})
}

// letters lists dead letters in pages of n, and checks which they are.
func (r *rig) letters(pool string, n int, want ...string) {
	r.Helper()
	if got := r.pages(pool, "", n); !slices.Equal(got, want) {
		r.Fatalf("dead letters of %q are %q, want %q", pool, got, want)
	}
}

// lettersSoon waits until these are all dead letters: a list may come from a replica that learns a moment later.
func (r *rig) lettersSoon(want ...string) {
	r.Helper()
	r.until("letters", func() bool { return slices.Equal(r.pages("", "", 10), want) })
}

// pages lists the ids of all dead letters after a cursor.
func (r *rig) pages(pool, after string, n int) []string {
	r.Helper()
	var all []string
	for {
		page, next, err := r.Dead(r.ctx, pool, after, n)
		r.ok(err)
		if len(page) > n {
			r.Fatalf("%d letters in a page of %d", len(page), n)
		}
		for _, l := range page {
			all = append(all, l.Message.Task.ID)
		}
		if next == "" {
			return all
		}
		if next == after {
			r.Fatalf("the cursor stays at %q", next)
		}
		after = next
	}
}
