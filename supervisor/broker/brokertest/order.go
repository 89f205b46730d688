package brokertest

import (
	"fmt"
	"slices"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/internal/policy"
)

var orderTests = []test{
	{name: "first in first out", run: func(r *rig) {
		var want []string
		for i := range 30 {
			id := fmt.Sprint("t", i)
			want = append(want, id)
			r.enqueue(message(id))
		}
		r.order(want, 1)
	}},
	{name: "first in first out in a batch", run: func(r *rig) {
		var want []string
		var batch []*broker.Message
		for i := range 30 {
			id := fmt.Sprint("t", i)
			want = append(want, id)
			batch = append(batch, message(id))
		}
		r.enqueue(batch...)
		r.order(want, 7)
	}},
	{name: "the higher priority goes first", run: func(r *rig) {
		r.queue(message("low", priority(-1)), message("none"), message("high", priority(5)), message("higher", priority(1000)),
			message("lowest", priority(-1000)), message("none too"))
		r.order([]string{"higher", "high", "none", "none too", "low", "lowest"}, 1)
	}},
	{name: "waiting makes up for priority", run: func(r *rig) {
		step := policy.PriorityStep
		r.queue(
			message("new, 2", priority(2), ago(0)),
			message("new, 0", priority(0), ago(0)),
			message("a step and a half, 0", ago(3*step/2)),
			message("ten steps, -5", priority(-5), ago(10*step)),
		)
		r.order([]string{"ten steps, -5", "new, 2", "a step and a half, 0", "new, 0"}, 1)
	}},
	{name: "what comes back keeps its place", run: func(r *rig) {
		r.enqueue(message("a"), message("b"), message("c"))
		l := r.take("a")
		r.ok(r.Nack(r.ctx, l, 0))
		r.order([]string{"a", "b", "c"}, 1)
	}},
}

// order leases all that there is and checks that it comes in that order.
func (r *rig) order(want []string, atOnce int) {
	r.Helper()
	var got []string
	for len(got) < len(want) {
		leases, err := r.Lease(r.ctx, pool, atOnce)
		r.ok(err)
		for _, l := range leases {
			got = append(got, l.Task.ID)
		}
	}
	if !slices.Equal(got, want) {
		r.Fatalf("leased %q, want %q", got, want)
	}
}

func priority(p int) func(*broker.Message) {
	return func(m *broker.Message) { m.Task.Priority = p }
}

func ago(d time.Duration) func(*broker.Message) {
	return func(m *broker.Message) { m.Submitted = time.Now().Add(-d) }
}
