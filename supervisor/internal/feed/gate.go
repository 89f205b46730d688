package feed

import (
	"errors"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/internal/dispatch"
)

// openGate lets uncertain tasks through, no more than can run: of each it is stored that it
// starts, and one that had to wait then would look started when it was not.
func (f *Feed) openGate() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.gate) > 0 && f.through < f.cfg.AtOnce() {
		h := f.gate[0]
		f.gate = f.gate[1:]
		h.gated = true
		f.through++
		f.loops.Go(func() { f.begin(h) })
	}
}

// begin stores that a task starts, and then hands it to the dispatcher.
func (f *Feed) begin(h *held) {
	for {
		f.mu.Lock()
		lease := h.lease
		f.mu.Unlock()
		err := f.cfg.Broker.Begin(f.working, lease)
		switch {
		case err == nil:
			f.submit(h)
			return
		case errors.Is(err, broker.ErrLost), errors.Is(err, broker.ErrFinished):
			if f.gone(h, lease) {
				f.finished(h)
				return
			}
			continue // with the lease that it has now
		case !passes(err) && f.working.Err() == nil:
			// It would be the same for ever, with others waiting behind it.
			f.cfg.Logger.Error("a task cannot be started, and is tried again when its lease has lapsed", "task", lease.Task.ID, "error", err)
			if f.gone(h, lease) {
				f.finished(h)
				return
			}
		}
		f.complain(err)
		if !wait(f.working, retryEvery) {
			return
		}
	}
}

// passes says that an error may be over the next time, or that there is no next time.
func passes(err error) bool {
	return errors.Is(err, broker.ErrUnavailable) || errors.Is(err, broker.ErrClosed)
}

// gone notes that a lease is lost, and says whether it was the task's last.
func (f *Feed) gone(h *held, lease *broker.Lease) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	h.lost = h.lost || h.lease == lease
	return h.lost
}

func (f *Feed) submit(h *held) {
	f.hand.Lock()
	defer f.hand.Unlock()
	f.mu.Lock()
	h.submitted = true
	cancelled := h.cancelled
	f.mu.Unlock()
	f.cfg.Tasks.SubmitLeased([]*dispatch.Job{&h.job})
	if cancelled {
		h.job.Cancel()
	}
}

// clearGate gives back what waits there.
func (f *Feed) clearGate() {
	f.mu.Lock()
	for _, h := range f.gate {
		f.end(h)
	}
	f.gate = nil
	f.mu.Unlock()
	poke(f.results)
}
