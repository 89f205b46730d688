package feed

import (
	"context"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/internal/dispatch"
)

// take leases tasks whenever there is room for some. It is the taker.
func (f *Feed) take() {
	for f.taking.Err() == nil {
		ctx, n := f.wanted()
		if n == 0 {
			select {
			case <-f.room:
			case <-f.taking.Done():
			}
			continue
		}
		leases, err := f.cfg.Broker.Lease(ctx, f.cfg.Pool, n)
		f.accept(leases)
		f.arrived()
		if err != nil && ctx.Err() == nil {
			f.complain(err)
			wait(f.taking, retryEvery)
		}
	}
}

// wanted is how many tasks to lease now, and the context to do it in.
func (f *Feed) wanted() (context.Context, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.prefetch.Min, f.prefetch.Max = f.cfg.AtOnce(), maxHeld
	n := f.missing()
	if f.draining || f.unable || n == 0 {
		return nil, 0
	}
	ctx, cancel := context.WithCancel(f.taking)
	f.pause = cancel
	return ctx, n
}

// arrived ends a Lease call.
func (f *Feed) arrived() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pause != nil {
		f.pause()
	}
	f.pause, f.early = nil, nil
}

// missing is how many tasks are worth a round trip to the broker. With f.mu held.
func (f *Feed) missing() int {
	size := f.prefetch.Size()
	n := size - len(f.holding)
	// A quarter of what is held is worth it; less is not, while there is something to do.
	if len(f.holding) > 0 && n < min(size/4, size-f.prefetch.Min) {
		return 0
	}
	if f.typical > 0 {
		n = min(n, (maxHeldBytes-f.bytes)/f.typical)
	}
	if len(f.holding) == 0 {
		n = max(n, 1)
	}
	return max(n, 0)
}

// accept holds new leases and hands their tasks on.
func (f *Feed) accept(leases []*broker.Lease) {
	if len(leases) == 0 {
		return
	}
	f.recovered()
	now := time.Now()
	jobs := make([]*dispatch.Job, 0, len(leases))
	ended, gated := false, false
	f.hand.Lock()
	defer f.hand.Unlock()
	f.mu.Lock()
	f.prefetch.Observe(f.count, now.Sub(f.since))
	f.count, f.since = 0, now
	for _, l := range leases {
		if f.regained(l, now) {
			continue
		}
		h := f.newHeld(l, now)
		f.holding[l.Task.ID] = h
		f.bytes += len(l.Task.Payload)
		f.typical = (15*f.typical + len(l.Task.Payload) + 15) / 16
		switch {
		case h.usedUp():
			f.end(h)
			ended = true
		case h.uncertain():
			f.gate = append(f.gate, h)
			gated = true
		default:
			h.submitted = true
			jobs = append(jobs, &h.job)
		}
	}
	early := f.early
	f.pause() // nothing is on its way now
	f.pause, f.early = nil, nil
	f.mu.Unlock()
	f.cfg.Tasks.SubmitLeased(jobs)
	for _, id := range early {
		f.cancelHeld(id)
	}
	if ended {
		poke(f.results)
	}
	if gated {
		f.openGate()
	}
}

// regained takes a lease for a task that is still here: its last lease lapsed, because the broker
// was out of reach, and now nobody else has it. If the task has ended, its result is about to be stored.
func (f *Feed) regained(l *broker.Lease, now time.Time) bool {
	h := f.holding[l.Task.ID]
	if h == nil || h.over {
		return h != nil && h.answered
	}
	h.lease, h.renewed, h.lost = l, now, false
	return true
}
