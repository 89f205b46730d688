package brokertest

import (
	"errors"
	"strings"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

var uniqueTests = []test{
	{name: "one at a time", run: func(r *rig) {
		r.enqueue(message("a", unique("k")))
		r.held(message("b", unique("k")), "a")
		r.enqueue(message("other key", unique("K")), message("no key"), message("no key either"))
		r.order([]string{"a", "other key", "no key", "no key either"}, 1)
		r.none()
	}},
	{name: "in a batch", run: func(r *rig) {
		errs := r.Enqueue(r.ctx, []*broker.Message{message("a", unique("k")), message("b", unique("k")), message("c")})
		if len(errs) != 3 || errs[0] != nil || errs[2] != nil {
			r.Fatalf("got %v, want one error, in the middle", errs)
		}
		r.isHeld(errs[1], "k", "a")
	}},
	{name: "the holder's own id is a duplicate", run: func(r *rig) {
		r.enqueue(message("a", unique("k")))
		r.want(r.refuse(message("a", unique("k"))), broker.ErrDuplicate)
	}},
	{name: "a duplicate takes no key", run: func(r *rig) {
		r.enqueue(message("a"))
		r.want(r.refuse(message("a", unique("k"))), broker.ErrDuplicate)
		r.enqueue(message("b", unique("k")))
	}},
	{name: "what does not fit takes no key", settings: func(Kit) Settings { return Settings{QueueSize: 1} }, run: func(r *rig) {
		r.enqueue(message("a"))
		r.want(r.refuse(message("b", unique("k"))), broker.ErrFull)
		r.enqueue(message("c", unique("k"), inPool("others")))
	}},
	{name: "across pools", run: func(r *rig) {
		r.enqueue(message("a", unique("k")))
		r.held(message("b", unique("k"), inPool("others")), "a")
	}},
	{name: "held in every state", run: func(r *rig) {
		r.enqueue(message("a", unique("k")))
		l := r.take("a")
		r.held(message("b", unique("k")), "a")
		l.History.Starts = 1
		r.ok(r.Nack(r.ctx, l, time.Hour))
		r.held(message("b", unique("k")), "a")
	}},
	{name: "held by a scheduled task", run: func(r *rig) {
		r.enqueue(message("a", unique("k"), inAnHour))
		r.held(message("b", unique("k")), "a")
	}},
	{name: "free after any result", run: func(r *rig) {
		for _, s := range []task.Status{task.Completed, task.Dead, task.Cancelled, task.Expired, task.Rejected} {
			l := r.put(string(s), unique("k"))
			r.held(message("b", unique("k")), string(s))
			r.end(s, l)
		}
		r.enqueue(message("b", unique("k")))
	}},
	{name: "free after a cancellation", run: func(r *rig) {
		r.enqueue(message("a", unique("k"), inAnHour))
		r.ok(r.Cancel(r.ctx, "a"))
		r.enqueue(message("b", unique("k")))
	}},
	{name: "free after an expiry", run: func(r *rig) {
		r.enqueue(message("a", unique("k"), inAnHour, expiresIn(200*time.Millisecond)))
		r.result("a")
		r.enqueue(message("b", unique("k")))
	}},
	{name: "free after its time", run: func(r *rig) {
		const ttl = 500 * time.Millisecond
		before := time.Now()
		r.enqueue(message("a", unique("k"), uniqueFor(ttl)))
		next := message("b", unique("k"))
		r.until("the key is free", func() bool {
			err := one(r.Enqueue(r.ctx, []*broker.Message{next}))
			if err != nil {
				r.isHeld(err, "k", "a")
			}
			return err == nil
		})
		if held := time.Since(before); held < ttl*9/10 {
			r.Fatalf("the key was held for %v, want %v", held, ttl)
		}
		// It is b's now, whatever becomes of a.
		r.held(message("c", unique("k")), "b")
		r.ack(r.take("a"))
		r.held(message("c", unique("k")), "b")
		r.ack(r.take("b"))
		r.enqueue(message("c", unique("k")))
	}},
	{name: "a result comes before the key's time", run: func(r *rig) {
		r.ack(r.put("a", unique("k"), uniqueFor(time.Hour)))
		r.enqueue(message("b", unique("k")))
	}},
	{name: "keys of all kinds", run: func(r *rig) {
		for _, key := range []string{
			".", "..", "*", ">", "a.b", " ", "\x00", "\u65e5\u672c", "\xff", strings.Repeat("k", 256), strings.Repeat("k", 255) + "K",
		} {
			r.enqueue(message("a"+key, unique(key)))
			r.held(message("b"+key, unique(key)), "a"+key)
			r.ack(r.take("a" + key))
			r.enqueue(message("b"+key, unique(key)))
			r.ack(r.take("b" + key))
		}
	}},
}

func unique(key string) func(*broker.Message) {
	return func(m *broker.Message) { m.UniqueKey = key }
}

func uniqueFor(ttl time.Duration) func(*broker.Message) {
	return func(m *broker.Message) { m.UniqueTTL = ttl }
}

// held tries to enqueue a message whose key another task holds.
func (r *rig) held(m *broker.Message, holder string) {
	r.Helper()
	r.isHeld(r.refuse(m), m.UniqueKey, holder)
}

func (r *rig) isHeld(err error, key, holder string) {
	r.Helper()
	var held *broker.HeldError
	if !errors.As(err, &held) || held.Key != key || held.Holder != holder {
		r.Fatalf("got error %v, want that %q is held by %q", err, key, holder)
	}
}
