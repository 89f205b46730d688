package brokertest

import (
	"cmp"
	"context"
	"errors"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

const (
	// patience is how long a test waits for what must happen, if its kit does not say.
	patience = time.Minute
	// glimpse is how long it looks out for what must not.
	glimpse = 100 * time.Millisecond
	// pool is the pool of most tests.
	pool = "thumbnails"
)

// rig is a store and a broker on it, with shorthands that fail the test.
type rig struct {
	rapid.TB            // the test, or one of rapid's tries in it
	test     *testing.T // whose cleanup closes what was opened
	kit      Kit
	store    *Store
	ctx      context.Context // ends with the test's patience
	broker.Broker
}

func newRig(t *testing.T, k Kit, settings func(Kit) Settings) *rig {
	var s Settings
	if settings != nil {
		s = settings(k)
	}
	s.LeaseTime = cmp.Or(s.LeaseTime, k.Patience)
	s.ResultTTL = cmp.Or(s.ResultTTL, time.Hour)
	s.QueueSize = cmp.Or(s.QueueSize, 10_000)
	s.ResultLimit = cmp.Or(s.ResultLimit, 10_000)
	ctx, cancel := context.WithTimeout(t.Context(), k.Patience)
	t.Cleanup(cancel)
	r := &rig{TB: t, test: t, kit: k, store: k.New(t, s), ctx: ctx}
	r.Broker = r.open()
	return r
}

// open returns another broker on the same store.
func (r *rig) open() broker.Broker {
	r.Helper()
	b := r.store.Open(r.test)
	r.test.Cleanup(func() {
		if err := b.Close(); err != nil {
			r.Errorf("Close: %v", err)
		}
	})
	return b
}

// on is the rig with another broker.
func (r *rig) on(b broker.Broker) *rig {
	other := *r
	other.Broker = b
	return &other
}

// need ends a test that asks for what the kind of broker cannot do.
func (r *rig) need(able bool, what string) {
	r.Helper()
	if !able {
		r.Skip("this kind of broker is not " + what)
	}
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// want checks what an error wraps.
func (r *rig) want(got, want error) {
	r.Helper()
	if !errors.Is(got, want) {
		r.Fatalf("got error %v, want one that wraps %v", got, want)
	}
}

func (r *rig) same(what string, got, want any) {
	r.Helper()
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		r.Fatalf("%s differs (- want, + got):\n%s", what, diff)
	}
}

// message is a task that may be enqueued.
func message(id string, change ...func(*broker.Message)) *broker.Message {
	m := &broker.Message{Pool: pool, Task: task.Task{ID: id, Name: "resize", Payload: []byte("payload of " + id)}}
	for _, c := range change {
		c(m)
	}
	return m
}

// enqueue stores messages, all of which must be accepted.
func (r *rig) enqueue(messages ...*broker.Message) {
	r.Helper()
	for i, err := range r.Enqueue(r.ctx, messages) {
		if err != nil {
			r.Fatalf("Enqueue of %.50q: %v", messages[i].Task.ID, err)
		}
	}
}

// queue stores messages into an empty pool and waits until all of them can be seen: what has just been stored under
// several priorities may be seen one after the other, and be leased as it is seen.
func (r *rig) queue(messages ...*broker.Message) {
	r.Helper()
	r.enqueue(messages...)
	r.counts(pool, broker.Counts{Queued: len(messages)})
}

// refuse tries to enqueue a message that must not be accepted.
func (r *rig) refuse(m *broker.Message) error {
	r.Helper()
	errs := r.Enqueue(r.ctx, []*broker.Message{m})
	if len(errs) != 1 || errs[0] == nil {
		r.Fatalf("Enqueue of %.50q: got %v, want an error", m.Task.ID, errs)
	}
	return errs[0]
}

// lease takes n messages, by as many calls as it needs.
func (r *rig) lease(n int) []*broker.Lease {
	r.Helper()
	return r.leaseFrom(pool, n)
}

func (r *rig) leaseFrom(pool string, n int) []*broker.Lease {
	r.Helper()
	var all []*broker.Lease
	for len(all) < n {
		leases, err := r.Lease(r.ctx, pool, n-len(all))
		if err != nil {
			r.Fatalf("Lease after %d of %d: %v", len(all), n, err)
		}
		if len(leases) == 0 || len(leases) > n-len(all) {
			r.Fatalf("Lease gave %d, want 1 to %d", len(leases), n-len(all))
		}
		all = append(all, leases...)
	}
	return all
}

// take leases one message, which must be that one.
func (r *rig) take(id string) *broker.Lease {
	r.Helper()
	l := r.lease(1)[0]
	if l.Task.ID != id {
		r.Fatalf("leased %q, want %q", l.Task.ID, id)
	}
	return l
}

// put stores a message and leases it.
func (r *rig) put(id string, change ...func(*broker.Message)) *broker.Lease {
	r.Helper()
	r.enqueue(message(id, change...))
	return r.take(id)
}

// none looks whether there is nothing to lease.
func (r *rig) none() {
	r.Helper()
	r.noneFrom(pool)
}

func (r *rig) noneFrom(pool string) {
	r.Helper()
	leases, err := r.tryLease(pool, glimpse)
	if len(leases) > 0 {
		r.Fatalf("leased %q (delivery %d), want nothing", leases[0].Task.ID, leases[0].Delivery)
	}
	r.want(err, context.DeadlineExceeded)
}

// tryLease waits for one message for no longer than that.
func (r *rig) tryLease(pool string, wait time.Duration) ([]*broker.Lease, error) {
	ctx, cancel := context.WithTimeout(r.ctx, wait)
	defer cancel()
	return r.Lease(ctx, pool, 1)
}

// answer is a result with a status.
func answer(l *broker.Lease, s task.Status) broker.Answer {
	res := &task.Result{Task: l.Task, Status: s, Started: l.History.Starts + 1, Queued: time.Second, Run: time.Millisecond}
	if s == task.Completed {
		res.Payload = []byte("answer to " + l.Task.ID)
	} else {
		res.Err = &task.Error{Kind: task.KindError, Message: "it did not work"}
	}
	return broker.Answer{Lease: l, Result: res}
}

// ack completes tasks.
func (r *rig) ack(leases ...*broker.Lease) {
	r.Helper()
	r.end(task.Completed, leases...)
}

// end gives tasks a result.
func (r *rig) end(s task.Status, leases ...*broker.Lease) {
	r.Helper()
	var answers []broker.Answer
	for _, l := range leases {
		answers = append(answers, answer(l, s))
	}
	for i, err := range r.Ack(r.ctx, answers) {
		if err != nil {
			r.Fatalf("Ack of %.50q: %v", leases[i].Task.ID, err)
		}
	}
}

// one unpacks the errors of a call for one thing.
func one(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	return errs[0]
}

// result waits for a task's result.
func (r *rig) result(id string) task.Result {
	r.Helper()
	return r.receive(r.watch(id))
}

// receive waits for a result.
func (r *rig) receive(results <-chan task.Result) task.Result {
	r.Helper()
	select {
	case res := <-results:
		return res
	case <-r.ctx.Done():
		r.Fatal("no result")
		return task.Result{}
	}
}

// watch returns a channel that gets a task's result.
func (r *rig) watch(id string) <-chan task.Result {
	r.Helper()
	results := make(chan task.Result, 10) // one is all that should come
	stop, err := r.OnResult(r.ctx, id, func(res task.Result) { results <- res })
	r.ok(err)
	r.test.Cleanup(stop)
	return results
}

func (r *rig) get(id string) broker.Record {
	r.Helper()
	rec, err := r.Get(r.ctx, id)
	r.ok(err)
	return rec
}

// state checks what Get says.
func (r *rig) state(id string, want task.State) {
	r.Helper()
	if rec := r.get(id); rec.State != want || (rec.Result != nil) != want.Final() {
		r.Fatalf("task %.50q: state %v (result: %+v), want %v", id, rec.State, rec.Result, want)
	}
}

// until asks again and again until it holds: for what the broker may learn a moment later.
func (r *rig) until(what string, holds func() bool) {
	r.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-r.ctx.Done():
			r.Fatal("in vain: " + what)
		}
	}
}

// counts waits for a pool's figures; Oldest is not looked at.
func (r *rig) counts(pool string, want broker.Counts) {
	r.Helper()
	var got broker.Counts
	defer func() {
		if r.Failed() {
			r.Logf("counts are %+v, want %+v", got, want)
		}
	}()
	r.until("counts", func() bool {
		var err error
		got, err = r.Counts(r.ctx, pool)
		r.ok(err)
		got.Oldest = 0
		return got == want
	})
}
