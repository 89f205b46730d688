package feed

import (
	"errors"
	"sync"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// finished takes a job from the dispatcher, with its result or without.
func (f *Feed) finished(h *held) {
	f.mu.Lock()
	f.end(h)
	open := h.gated
	if h.gated {
		h.gated = false
		f.through--
	}
	first := len(f.ended) == 1
	f.mu.Unlock()
	if first {
		poke(f.results)
	}
	if open {
		f.openGate()
	}
}

// end makes a task wait to be settled.
func (f *Feed) end(h *held) {
	h.over, h.answered = true, h.result.Status != ""
	f.ended = append(f.ended, h)
}

// settle stores what became of tasks. It is the settler.
func (f *Feed) settle() {
	var kept []*held // the broker was unavailable for them
	var retry <-chan time.Time
	for {
		select {
		case <-f.results:
			f.mu.Lock()
			batch := f.ended
			f.ended = nil
			f.mu.Unlock()
			kept = append(kept, f.settleAll(batch)...)
		case <-retry:
			kept, retry = f.settleAll(kept), nil
		case <-f.working.Done():
			return
		}
		if len(kept) > 0 && retry == nil {
			retry = time.After(retryEvery)
		}
	}
}

// settleAll settles a batch and returns what could not be.
func (f *Feed) settleAll(batch []*held) (kept []*held) {
	var answered, returned []*held
	answers := make([]broker.Answer, 0, len(batch))
	for _, h := range batch {
		switch {
		case f.dropped(h):
		case h.result.Status != "":
			answered = append(answered, h)
			answers = append(answers, broker.Answer{Lease: h.lease, Result: h.result})
		default:
			returned = append(returned, h)
		}
	}
	if len(answers) > 0 {
		kept = f.release(answered, f.cfg.Broker.Ack(f.working, answers), kept)
	}
	if len(returned) > 0 {
		kept = f.release(returned, f.giveBack(returned), kept)
	}
	return kept
}

// dropped forgets a task whose lease was lost before it started here, and says so.
func (f *Feed) dropped(h *held) bool {
	f.mu.Lock()
	lost := h.lost && h.result.Started == h.past
	f.mu.Unlock()
	if lost {
		f.release([]*held{h}, []error{broker.ErrLost}, nil)
	}
	return lost
}

// backAtOnce is how many tasks are given back at the same time.
const backAtOnce = 32

// giveBack returns tasks to the broker, with their history.
func (f *Feed) giveBack(returned []*held) []error {
	errs := make([]error, len(returned))
	next := make(chan int, len(returned))
	for i := range returned {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range min(backAtOnce, len(returned)) {
		wg.Go(func() {
			for i := range next {
				h := returned[i]
				delay, _ := h.job.Returned()
				l := *h.lease // the broker may be reading the one it gave
				l.History = h.history()
				errs[i] = f.cfg.Broker.Nack(f.working, &l, delay)
			}
		})
	}
	wg.Wait()
	return errs
}

// release forgets what has been settled; what the broker could not take is appended to kept.
func (f *Feed) release(batch []*held, errs []error, kept []*held) []*held {
	var gone error // the broker is
	stored := errs == nil && len(batch) > 0
	settled := batch
	if errs != nil {
		settled = make([]*held, 0, len(batch))
		for i, h := range batch {
			if errors.Is(errs[i], broker.ErrUnavailable) {
				gone = errs[i]
			}
			if errs[i] != nil && f.keep(h, errs[i]) {
				kept = append(kept, h)
				continue
			}
			stored = stored || errs[i] == nil
			settled = append(settled, h)
		}
	}
	f.mu.Lock()
	for _, h := range settled {
		if f.holding[h.lease.Task.ID] == h {
			delete(f.holding, h.lease.Task.ID) // else it is leased again already
		}
		f.bytes -= len(h.lease.Task.Payload)
		f.count++
	}
	if len(f.holding) == 0 && f.empty != nil {
		close(f.empty)
		f.empty = nil
	}
	f.mu.Unlock()
	switch {
	case gone != nil:
		f.complain(gone)
	case stored:
		f.recovered()
	}
	poke(f.room)
	return kept
}

// keep says whether to try again to settle a task.
func (f *Feed) keep(h *held, err error) bool {
	log := f.cfg.Logger.With("correlation_id", h.lease.Task.ID)
	switch {
	case errors.Is(err, broker.ErrUnavailable):
		return true
	case errors.Is(err, broker.ErrTooLarge) && !h.small:
		h.small, h.result = true, tooLarge(h.result, err)
		return true
	case errors.Is(err, broker.ErrFinished), errors.Is(err, broker.ErrLost):
		f.mu.Lock()
		known := h.lost
		f.mu.Unlock()
		if !known {
			log.Warn("leases were lost: the task was somebody else's by the time it ended here; what they store counts", "error", err)
		}
	case errors.Is(err, broker.ErrClosed):
	default:
		log.Error("what became of the task could not be stored; it will be leased again", "error", err)
	}
	return false
}

// tooLarge is what is stored in place of a result that the broker does not take.
func tooLarge(r *task.Result, err error) *task.Result {
	small := *r
	small.Status = task.Dead
	small.Payload, small.Attempts = nil, nil
	small.Err = &task.Error{Kind: task.KindInvalid, Message: "the result cannot be stored: " + err.Error()}
	return &small
}
