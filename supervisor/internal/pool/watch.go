package pool

import (
	"fmt"
	"time"

	"github.com/brood-run/brood/supervisor/internal/policy"
	"github.com/brood-run/brood/supervisor/internal/worker"
)

// settle is how old a worker must be, unless it has done a task, before its memory may
// have it recycled: a limit below what a fresh worker takes must not start a carousel.
const settle = 10 * time.Second

// together is how close looks at different workers may be to share one wake-up.
const together = 2 * time.Millisecond

// watch looks at the workers whose turn it is and returns when the next one's is.
func (p *Pool) watch(now time.Time) time.Time {
	next := now.Add(idleLoop)
	for _, m := range p.members {
		if now.Add(together).After(m.nextSample) {
			m.nextSample = now.Add(p.look(m))
		}
		if m.nextSample.Before(next) {
			next = m.nextSample
		}
	}
	return next
}

// look checks one worker's memory, age and idleness, and says how long to wait before
// the next look.
func (p *Pool) look(m *member) time.Duration {
	process := m.w.Process()
	if process == nil {
		return policy.SampleInterval(0, p.cfg.HardMemoryLimit, true)
	}
	v := m.lane.View()
	busy := v.InPipe > 0
	mem, err := process.Memory()
	if err != nil {
		return policy.SampleInterval(0, 0, false) // it is gone; its end is on its way
	}
	m.w.Observe(mem.RSS)
	if hard := p.cfg.HardMemoryLimit; hard > 0 && mem.RSS > hard {
		m.w.Kill(worker.ReasonHardMemory, fmt.Errorf("hard memory limit of %d MiB: worker was killed at %d MiB", hard>>20, mem.RSS>>20))
	}
	wait := policy.SampleInterval(mem.RSS, p.cfg.HardMemoryLimit, busy)
	if m.leaving != worker.ReasonNone || !m.ready || p.closing {
		return wait
	}
	switch age := m.w.Age(); {
	case m.ttl > 0 && age >= m.ttl:
		m.leaving = worker.ReasonTTL
	case m.softLimit > 0 && mem.RSS > m.softLimit && (age > settle || v.Answered > 0):
		m.leaving = worker.ReasonSoftMemory
	case p.cfg.IdleTTL > 0 && !busy && v.Idle >= p.cfg.IdleTTL:
		m.leaving = worker.ReasonIdle
		p.parked++
		p.retire(m)
	}
	if m.ttl > 0 {
		wait = min(wait, max(m.ttl-m.w.Age(), together))
	}
	if p.cfg.IdleTTL > 0 && !busy {
		wait = min(wait, max(p.cfg.IdleTTL-v.Idle, together))
	}
	return wait
}
