package brokertest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// traffic is several producers and consumers that do what comes into their minds.
type traffic struct {
	*rig
	mu      sync.Mutex
	results map[string][]task.Result // what OnResult has said, by id
	stored  map[string][]string      // the answers that were acknowledged, by id
	done    chan struct{}            // closed when all have results
	want    int
}

const producers, consumers = 3, 4

// fewMessages is what a producer sends at least.
const fewMessages = 200

// traffic sends n messages of each producer through some brokers on the same store, while disturb, if any,
// goes on. In the end every message that was acknowledged has one result: the one that was
// acknowledged, if any was.
func (r *rig) traffic(brokers []*rig, n int, disturb func()) {
	if r.kit.Rounds > 0 {
		n = max(min(n, n*r.kit.Rounds/100), fewMessages)
	}
	tr := &traffic{rig: r, results: map[string][]task.Result{}, stored: map[string][]string{}, done: make(chan struct{}), want: producers * n}
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	var making, taking sync.WaitGroup
	for p := range producers {
		making.Go(func() { tr.produce(brokers[p%len(brokers)], fmt.Sprintf("p%d-", p), n) })
	}
	for c := range consumers * len(brokers) {
		taking.Go(func() { tr.consume(ctx, brokers[c%len(brokers)], rand.New(rand.NewPCG(uint64(c), 1))) })
	}
	if disturb != nil {
		disturb()
	}
	making.Wait()
	select {
	case <-tr.done:
	case <-r.ctx.Done():
		r.Errorf("%d of %d tasks have results", len(tr.results), tr.want)
	}
	cancel()
	taking.Wait()
	tr.check()
}

// produce stores its messages, each again and again until it is known to be there.
func (tr *traffic) produce(r *rig, prefix string, n int) {
	rnd := rand.New(rand.NewPCG(uint64(n), uint64(len(prefix))))
	rest := several(prefix, n, func(m *broker.Message) {
		m.Task.Priority = rnd.IntN(3)
		switch rnd.IntN(4) {
		case 0:
			m.ConcurrencyKey, m.ConcurrencyLimit = fmt.Sprint("k", rnd.IntN(3)), 1+rnd.IntN(2)
		case 1:
			m.NotBefore = time.Now().Add(time.Duration(rnd.IntN(100)) * time.Millisecond)
		}
	})
	for len(rest) > 0 {
		batch := rest[:min(len(rest), 1+rnd.IntN(20))]
		rest = rest[len(batch):]
		for _, m := range batch {
			tr.observe(r, m.Task.ID)
		}
		first := true
		tr.persist(r, func(ctx context.Context) bool {
			var again []*broker.Message
			for i, err := range r.Enqueue(ctx, batch) {
				switch {
				case err == nil || !first && errors.Is(err, broker.ErrDuplicate):
				case unavailable(err):
					again = append(again, batch[i])
				default:
					r.Errorf("Enqueue of %s: %v", batch[i].Task.ID, err)
				}
			}
			batch, first = again, false
			return len(batch) == 0
		})
		if rnd.IntN(4) == 0 {
			id := fmt.Sprint(prefix, rnd.IntN(n-len(rest)))
			tr.persist(r, func(ctx context.Context) bool {
				err := r.Cancel(ctx, id)
				if err != nil && !unavailable(err) && !errors.Is(err, broker.ErrFinished) {
					r.Errorf("Cancel of %s: %v", id, err)
				}
				return !unavailable(err)
			})
		}
	}
}

// observe collects the results of a task.
func (tr *traffic) observe(r *rig, id string) {
	tr.persist(r, func(ctx context.Context) bool {
		_, err := r.OnResult(r.ctx, id, func(res task.Result) {
			tr.mu.Lock()
			defer tr.mu.Unlock()
			tr.results[id] = append(tr.results[id], res)
			if len(tr.results) == tr.want && len(tr.results[id]) == 1 {
				close(tr.done)
			}
		})
		if err != nil && !unavailable(err) {
			r.Errorf("OnResult of %s: %v", id, err)
		}
		return err == nil
	})
}

// persist tries until it succeeds, while there is patience.
func (tr *traffic) persist(r *rig, try func(context.Context) bool) {
	for r.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(r.ctx, 5*time.Second)
		done := try(ctx)
		cancel()
		if done {
			return
		}
	}
}

func unavailable(err error) bool {
	return errors.Is(err, broker.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded)
}

// consume leases and settles until its context ends.
func (tr *traffic) consume(ctx context.Context, r *rig, rnd *rand.Rand) {
	for ctx.Err() == nil {
		leases, err := r.Lease(ctx, pool, 1+rnd.IntN(20))
		if err != nil && ctx.Err() == nil && !unavailable(err) {
			r.Errorf("Lease: %v", err)
			return
		}
		var done []*broker.Lease
		for _, l := range leases {
			if tr.keeps(ctx, r, l, rnd.IntN(20)) {
				done = append(done, l)
			}
		}
		if rnd.IntN(3) == 0 && len(done) > 0 {
			_ = r.Extend(ctx, done)
		}
		tr.settle(r, done, rnd)
	}
}

// keeps does something with a lease and says whether it is to be answered.
func (tr *traffic) keeps(ctx context.Context, r *rig, l *broker.Lease, whim int) bool {
	var err error
	keep := true
	switch {
	case whim == 0 && l.Delivery < 3:
		return false // as one who dies
	case whim <= 2:
		l.History.Starts++
		err, keep = r.Nack(ctx, l, 0), false
	case whim == 3:
		err, keep = r.Nack(ctx, l, 50*time.Millisecond), false
	case whim <= 6:
		err = r.Begin(ctx, l)
	}
	if err != nil && ctx.Err() == nil && !unavailable(err) && !errors.Is(err, broker.ErrLost) {
		r.Errorf("%s: %v", l.Task.ID, err)
	}
	return keep
}

// settle answers until each is known to have a result.
func (tr *traffic) settle(r *rig, leases []*broker.Lease, rnd *rand.Rand) {
	var batch []broker.Answer
	for _, l := range leases {
		a := answer(l, task.Completed)
		if rnd.IntN(10) == 0 {
			a = answer(l, task.Dead)
		}
		a.Result.Payload = fmt.Appendf(nil, "%s, delivery %d, %d", l.Task.ID, l.Delivery, rnd.Uint64())
		batch = append(batch, a)
	}
	tr.persist(r, func(ctx context.Context) bool {
		errs := r.Ack(ctx, batch)
		var again []broker.Answer
		tr.mu.Lock()
		defer tr.mu.Unlock()
		for i, a := range batch {
			switch {
			case errs == nil || errs[i] == nil:
				tr.stored[a.Lease.Task.ID] = append(tr.stored[a.Lease.Task.ID], string(a.Result.Payload))
			case unavailable(errs[i]):
				again = append(again, a)
			case !errors.Is(errs[i], broker.ErrFinished):
				r.Errorf("Ack of %s: %v", a.Lease.Task.ID, errs[i])
			}
		}
		batch = again
		return len(batch) == 0
	})
}

// check looks at what everybody was told.
func (tr *traffic) check() {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	dead := 0
	for id, results := range tr.results {
		if len(results) != 1 {
			tr.Errorf("%s has %d results", id, len(results))
		}
		got := string(results[0].Payload)
		if stored := tr.stored[id]; len(stored) > 1 || len(stored) == 1 && !slices.Contains(stored, got) {
			tr.Errorf("%s: answers %q were acknowledged, its result is %q", id, stored, got)
		}
		if kept := tr.get(id).Result; kept == nil || string(kept.Payload) != got || kept.Status != results[0].Status {
			tr.Errorf("%s: result %+v was told, %+v is kept", id, results[0], kept)
		}
		if results[0].Status == task.Dead {
			dead++
		}
	}
	if !tr.Failed() {
		tr.counts(pool, broker.Counts{Dead: dead})
	}
}
