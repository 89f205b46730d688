package pool

import (
	"cmp"
	"slices"

	"github.com/brood-run/brood/supervisor/internal/worker"
)

// Recycle has a worker replaced, and says whether there is one of that name. The new one is warm
// before the old one drains.
func (p *Pool) Recycle(name string) bool {
	answer := make(chan bool, 1)
	p.post(recycle{name, answer})
	return p.hear(answer)
}

// Resize changes how many workers there are to be, and says whether it did: not while the pool
// stops. Those that are too many drain, idle ones first.
func (p *Pool) Resize(workers int) bool {
	answer := make(chan bool, 1)
	p.post(resize{workers, answer})
	return p.hear(answer)
}

// hear waits for the loop's answer, which is false if the loop has ended.
func (p *Pool) hear(answer <-chan bool) bool {
	select {
	case yes := <-answer:
		return yes
	case <-p.done:
		return false
	}
}

func (p *Pool) recycle(name string) bool {
	for _, m := range p.members {
		if m.w.Name() == name {
			if m.leaving == worker.ReasonNone {
				m.leaving = worker.ReasonRequest
			}
			return true
		}
	}
	return false
}

func (p *Pool) resize(n int) {
	if p.parked > 0 {
		p.parked = max(0, n-p.count(p.capable)) // no more are stopped, and none is started
	}
	if p.roll != nil {
		p.roll.workers = n
	}
	p.mu.Lock()
	p.workers = n
	p.mu.Unlock()
	p.gen.Tasks.Resize(n)
	p.trim()
}

// trim has the workers drain that are too many: those first that are on their way out or in, or
// have nothing to do.
func (p *Pool) trim() {
	var all []*member
	for _, m := range p.members {
		if p.capable(m) {
			all = append(all, m)
		}
	}
	rank := func(m *member) int {
		switch {
		case m.leaving != worker.ReasonNone:
			return 0
		case !m.ready:
			return 1
		case !m.lane.Busy():
			return 2
		}
		return 3
	}
	slices.SortFunc(all, func(a, b *member) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.serial, a.serial))
	})
	for _, m := range all[:max(0, len(all)-p.wanted())] {
		if m.leaving == worker.ReasonNone {
			m.leaving = worker.ReasonScaleDown
		}
		p.retire(m)
	}
}
