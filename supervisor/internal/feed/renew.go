package feed

import (
	"errors"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

// renewals is how often a lease is extended in the time it lasts.
const renewals = 4

// renew extends the leases of what takes longer than a moment. It is the renewer.
func (f *Feed) renew() {
	every := f.cfg.Broker.LeaseTime() / renewals
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			f.extend(f.due(now, every))
			f.shed(now)
		case <-f.working.Done():
			return
		}
	}
}

// shed gives back what turned out to be more than a moment's work.
func (f *Feed) shed(now time.Time) {
	f.mu.Lock()
	f.prefetch.Observe(f.count, now.Sub(f.since))
	f.count, f.since = 0, now
	size := f.prefetch.Size()
	over := len(f.holding) > 2*size
	f.mu.Unlock()
	if over {
		f.cfg.Tasks.Shed(size)
	}
	poke(f.room) // less may be worth a round trip now
}

// renewal is a lease that is to be extended, and whose it was then: a task may be leased anew
// meanwhile, and what is said about its old lease does not concern it.
type renewal struct {
	h     *held
	lease *broker.Lease
}

// due are the leases that are older than a tick, lost ones too: the broker may keep others from what goes on here.
func (f *Feed) due(now time.Time, every time.Duration) []renewal {
	f.mu.Lock()
	defer f.mu.Unlock()
	var due []renewal
	for _, h := range f.holding {
		if now.Sub(h.renewed) > every/2 {
			due = append(due, renewal{h, h.lease})
		}
	}
	return due
}

func (f *Feed) extend(due []renewal) {
	if len(due) == 0 {
		return
	}
	leases := make([]*broker.Lease, len(due))
	for i, r := range due {
		leases[i] = r.lease
	}
	asked := time.Now() // the lease counts from before it was extended
	errs := f.cfg.Broker.Extend(f.working, leases)
	lost, gone := f.extended(due, errs, asked)
	if gone != nil {
		f.complain(gone)
	}
	f.lose(lost)
}

// extended notes what became of leases.
func (f *Feed) extended(due []renewal, errs []error, asked time.Time) (lost []*held, gone error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, r := range due {
		var err error
		if errs != nil {
			err = errs[i]
		}
		if errors.Is(err, broker.ErrUnavailable) {
			gone = err
		}
		switch h := r.h; {
		case h.lease != r.lease || h.over: // the answer is about the past
		case err == nil:
			h.renewed, h.lost = asked, false
		case h.lost: // as before
		case errors.Is(err, broker.ErrLost), time.Since(h.renewed) > f.cfg.Broker.LeaseTime():
			h.lost = true
			lost = append(lost, h)
		}
	}
	return lost, gone
}

// lose drops tasks that are somebody else's by now, unless they run: then they go on, and whose
// result is stored first counts.
func (f *Feed) lose(lost []*held) {
	if len(lost) == 0 {
		return
	}
	f.cfg.Logger.Warn("leases were lost; those of the tasks that run go on here, others may run them too, and the first result counts",
		"tasks", len(lost), "first", lost[0].job.Result.Task.ID)
	f.hand.Lock()
	defer f.hand.Unlock()
	for _, h := range lost {
		f.mu.Lock()
		there := h.submitted && h.lost
		f.mu.Unlock()
		if there {
			h.job.Abandon()
		}
	}
}
