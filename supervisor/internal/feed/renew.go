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
}

// due are the held tasks whose lease is older than a tick.
func (f *Feed) due(now time.Time, every time.Duration) []*held {
	f.mu.Lock()
	defer f.mu.Unlock()
	var due []*held
	for _, h := range f.holding {
		if !h.lost && now.Sub(h.renewed) > every/2 {
			due = append(due, h)
		}
	}
	return due
}

func (f *Feed) extend(due []*held) {
	if len(due) == 0 {
		return
	}
	leases := make([]*broker.Lease, len(due))
	for i, h := range due {
		leases[i] = h.lease
	}
	asked := time.Now() // the lease counts from before it was extended
	errs := f.cfg.Broker.Extend(f.working, leases)
	var gone error
	var lost []*held
	f.mu.Lock()
	for i, h := range due {
		switch {
		case errs == nil || errs[i] == nil:
			h.renewed = asked
		case errors.Is(errs[i], broker.ErrLost), time.Since(h.renewed) > f.cfg.Broker.LeaseTime():
			h.lost = true
			lost = append(lost, h)
		}
		if errs != nil && errors.Is(errs[i], broker.ErrUnavailable) {
			gone = errs[i]
		}
	}
	f.mu.Unlock()
	if gone != nil {
		f.complain(gone)
	} else {
		f.recovered()
	}
	f.lose(lost)
}

// lose drops tasks that are somebody else's by now, unless they run: then they go on, and whose
// result is stored first counts.
func (f *Feed) lose(lost []*held) {
	if len(lost) == 0 {
		return
	}
	f.cfg.Logger.Warn("leases were lost; those of the tasks that run go on here, others may run them too, and the first result counts",
		"tasks", len(lost), "first", lost[0].lease.Task.ID)
	f.hand.Lock()
	defer f.hand.Unlock()
	for _, h := range lost {
		f.mu.Lock()
		there := h.submitted
		f.mu.Unlock()
		if there {
			h.job.Abandon()
		}
	}
}
