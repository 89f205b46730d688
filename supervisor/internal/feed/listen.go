package feed

import (
	"errors"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// listen hears of cancellations. It is the listener.
func (f *Feed) listen() {
	for f.working.Err() == nil {
		notices, err := f.cfg.Broker.Notices(f.working)
		if err != nil {
			f.complain(err)
			wait(f.working, retryEvery)
			continue
		}
		for n := range notices {
			if n.Cancel != "" {
				f.cancel(n.Cancel)
			}
		}
	}
}

func (f *Feed) cancel(id string) {
	f.hand.Lock()
	defer f.hand.Unlock()
	f.cancelHeld(id)
}

// cancelHeld cancels a task, or remembers to if it may be on its way here. With f.hand held.
func (f *Feed) cancelHeld(id string) {
	f.mu.Lock()
	h := f.holding[id]
	switch {
	case h == nil:
		if f.pause != nil {
			f.early = append(f.early, id)
			f.early = f.early[max(0, len(f.early)-maxEarly):]
		}
		f.mu.Unlock()
	case h.submitted:
		f.mu.Unlock()
		h.job.Cancel()
	default:
		h.cancelled = true
		for i, g := range f.gate {
			if g == h {
				f.gate = append(f.gate[:i], f.gate[i+1:]...)
				h.result.Status = task.Cancelled
				h.result.Err = &task.Error{Kind: task.KindCancelled, Message: "cancelled before it was started"}
				f.end(h)
				break
			}
		}
		f.mu.Unlock()
		poke(f.results)
	}
}

// complain says once that the broker cannot be reached, or what it says instead.
func (f *Feed) complain(err error) {
	f.mu.Lock()
	first := !f.cut
	f.cut = true
	n := len(f.holding)
	f.mu.Unlock()
	if first && f.working.Err() == nil {
		what := "the broker cannot be reached"
		if !errors.Is(err, broker.ErrUnavailable) {
			what = "the broker does not do as it should"
		}
		f.cfg.Logger.Error(what+"; running tasks go on, their results are kept", "held", n, "error", err)
	}
}

// recovered says that it can.
func (f *Feed) recovered() {
	f.mu.Lock()
	was := f.cut
	f.cut = false
	n := len(f.holding)
	f.mu.Unlock()
	if was {
		f.cfg.Logger.Info("the broker answers again", "held", n)
	}
}
