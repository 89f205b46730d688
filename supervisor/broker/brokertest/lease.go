package brokertest

import (
	"context"
	"fmt"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

var leaseTests = []test{
	{name: "no more than asked for", run: func(r *rig) {
		for i := range 10 {
			r.enqueue(message(fmt.Sprint("t", i)))
		}
		for _, n := range []int{1, 3, 100} {
			leases, err := r.Lease(r.ctx, pool, n)
			r.ok(err)
			if len(leases) == 0 || len(leases) > n {
				r.Fatalf("Lease of up to %d gave %d", n, len(leases))
			}
		}
	}},
	{name: "it waits for a message", run: func(r *rig) {
		wait := r.leaseLater(pool, 5)
		r.none() // so that it waits, most likely
		r.enqueue(message("a"))
		if l := wait(); len(l) != 1 || l[0].Task.ID != "a" {
			r.Fatalf("got %v", l)
		}
	}},
	{name: "each message goes to one of those who wait", run: func(r *rig) {
		const n = 20
		var waits []func() []*broker.Lease
		for range n {
			waits = append(waits, r.leaseLater(pool, 1))
		}
		for i := range n {
			r.enqueue(message(fmt.Sprint("t", i)))
		}
		seen := map[string]bool{}
		for _, wait := range waits {
			for _, l := range wait() {
				seen[l.Task.ID] = true
			}
		}
		if len(seen) != n {
			r.Fatalf("%d different tasks were leased, want %d", len(seen), n)
		}
	}},
	{name: "it ends with its context", run: func(r *rig) {
		ctx, cancel := context.WithCancel(r.ctx)
		done := make(chan error, 1)
		go func() {
			_, err := r.Lease(ctx, pool, 1)
			done <- err
		}()
		cancel()
		r.want(<-done, context.Canceled)
		_, err := r.Lease(ctx, pool, 1)
		r.want(err, context.Canceled)
		r.put("a") // nobody who has gone takes it
	}},
	{name: "those who gave up take nothing with them", run: func(r *rig) {
		// A call that ends in the very moment in which a message comes has it or has not.
		const n = 50
		ctx, cancel := context.WithCancel(r.ctx)
		got := make(chan []*broker.Lease, n)
		for range n {
			go func() {
				leases, _ := r.Lease(ctx, pool, 1)
				got <- leases
			}()
		}
		r.noneFrom("nowhere") // so that they wait, most likely
		all := several("t", n)
		cancel()
		r.enqueue(all...) // at once, while they wake up
		seen := map[string]bool{}
		for range n {
			for _, l := range <-got {
				seen[l.Task.ID] = true
			}
		}
		for _, l := range r.lease(n - len(seen)) {
			seen[l.Task.ID] = true
		}
		if len(seen) != n {
			r.Fatalf("%d of %d", len(seen), n)
		}
	}},
	{name: "pools are apart", run: func(r *rig) {
		r.enqueue(message("a"), message("b", inPool("others")))
		if l := r.leaseFrom("others", 1)[0]; l.Task.ID != "b" || l.Pool != "others" {
			r.Fatalf("leased %q of pool %q", l.Task.ID, l.Pool)
		}
		r.noneFrom("others")
		r.take("a")
	}},
	{name: "a pool that nobody has used", run: func(r *rig) { r.noneFrom("nowhere") }},
	{name: "the first delivery", run: func(r *rig) {
		l := r.put("a")
		if l.Delivery != 1 || l.History.Starts != 0 {
			r.Fatalf("delivery %d after %d starts, want 1 after 0", l.Delivery, l.History.Starts)
		}
	}},
	{name: "a lease lasts its time", settings: lapsing, run: func(r *rig) {
		if r.LeaseTime() <= 0 {
			r.Fatalf("lease time is %v", r.LeaseTime())
		}
		r.enqueue(message("a"))
		before := time.Now()
		r.take("a")
		r.take("a")
		if lasted := time.Since(before); lasted < r.LeaseTime()*9/10 {
			r.Fatalf("the lease lapsed after %v, want %v", lasted, r.LeaseTime())
		}
	}},
	{name: "extending keeps a lease", settings: lapsing, run: func(r *rig) {
		var before time.Time
		l := r.inTime(func(l *broker.Lease) error {
			if leases, _ := r.tryLease(pool, r.LeaseTime()/2); len(leases) > 0 {
				r.ok(r.Nack(r.ctx, leases[0], 0))
				return broker.ErrLost
			}
			before = time.Now()
			return one(r.Extend(r.ctx, []*broker.Lease{l}))
		})
		r.again(l.Task.ID, 2, 1)
		if lasted := time.Since(before); lasted < r.LeaseTime()*9/10 {
			r.Fatalf("the lease lapsed %v after it was extended, want %v", lasted, r.LeaseTime())
		}
	}},
	{name: "extending many", run: func(r *rig) {
		r.enqueue(message("a"), message("b"), message("c"))
		leases := r.lease(3)
		r.ack(leases[1])
		errs := r.Extend(r.ctx, leases)
		if len(errs) != 3 || errs[0] != nil || errs[2] != nil {
			r.Fatalf("got %v, want one error, in the middle", errs)
		}
		r.want(errs[1], broker.ErrLost)
		r.ack(leases[0], leases[2])
	}},
}

// leaseLater calls Lease on a goroutine. What it returns must be called.
func (r *rig) leaseLater(pool string, n int) func() []*broker.Lease {
	type outcome struct {
		leases []*broker.Lease
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		leases, err := r.Lease(r.ctx, pool, n)
		done <- outcome{leases, err}
	}()
	return func() []*broker.Lease {
		r.Helper()
		o := <-done
		r.ok(o.err)
		return o.leases
	}
}
