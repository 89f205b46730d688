package pool

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/brood-run/brood/supervisor/internal/policy"
	"github.com/brood-run/brood/supervisor/internal/worker"
)

// settle is how old a worker must be, unless it has done a task, before its memory may
// have it recycled: a limit below what a fresh worker takes must not start a carousel.
const settle = 10 * time.Second

// softInterval is the shortest time between looks for the soft limit's sake.
const softInterval = 20 * time.Millisecond

// wakeful is how often workers that were idle are asked whether they still are, if a hard
// limit must be kept: a leak may begin with the next task.
const wakeful = 25 * time.Millisecond

// together is how close looks at different workers may be to share one wake-up, at least;
// those at idle workers, which are far apart, may come early by an eighth of their distance.
const together = 2 * time.Millisecond

// watch looks at the workers whose turn it is and returns when the next one's is.
func (p *Pool) watch(now time.Time) time.Time {
	next := now.Add(idleLoop)
	for _, m := range p.members {
		if now.Add(m.slack).After(m.nextSample) || m.gen.limited() && !m.wasBusy && m.lane.Busy() {
			wait := p.look(m)
			m.nextSample, m.slack = now.Add(wait), max(together, wait/8)
		}
		if m.nextSample.Before(next) {
			next = m.nextSample
		}
		if soon := now.Add(wakeful); m.gen.HardMemoryLimit > 0 && !m.wasBusy && soon.Before(next) {
			next = soon
		}
	}
	return next
}

// pulse has every worker looked at for a sign of life, once each heartbeat, and returns when
// the next look is due. Workers of one generation are looked at together.
func (p *Pool) pulse(now time.Time) time.Time {
	next := now.Add(idleLoop)
	for w, m := range p.members {
		g := m.gen
		if g.pulsed != now && !now.Before(g.pulsed.Add(g.Worker.Heartbeat)) {
			g.pulsed = now
		}
		if g.pulsed == now {
			w.Pulse()
		}
		if due := g.pulsed.Add(g.Worker.Heartbeat); due.Before(next) {
			next = due
		}
	}
	return next
}

// limited says that a task may have its worker replaced or killed for its memory. Without
// that nobody needs to know at once that one begins.
func (s *Settings) limited() bool { return s.HardMemoryLimit > 0 || s.SoftMemoryLimit > 0 }

// size writes a number of bytes for people.
func size(n uint64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// interval is how soon to look at a worker again. The soft limit has time: what it is
// about happens after the task.
func (p *Pool) interval(m *member, rss uint64, busy bool) time.Duration {
	wait := policy.SampleInterval(rss, m.gen.HardMemoryLimit, busy)
	if m.softLimit > 0 {
		wait = min(wait, max(policy.SampleInterval(rss, m.softLimit, busy), softInterval))
	}
	if m.gen.IdleTTL > 0 {
		wait = min(wait, max(m.gen.IdleTTL/4, together))
	}
	if m.ttl > 0 && m.leaving == worker.ReasonNone {
		wait = min(wait, max(m.ttl-m.w.Age(), together))
	}
	return wait
}

// look checks one worker's memory, age and idleness, and says how long to wait before
// the next look.
func (p *Pool) look(m *member) time.Duration {
	if m.w.Process() == nil {
		return p.interval(m, 0, true)
	}
	v := m.lane.View()
	busy := v.InPipe > 0
	m.wasBusy = busy
	rss, err := m.w.Memory()
	if errors.Is(err, os.ErrProcessDone) {
		return policy.SampleInterval(0, 0, false) // its end is on its way
	}
	p.tellSight(err)
	if err != nil {
		return p.interval(m, 0, true)
	}
	m.w.Observe(rss)
	if hard := m.gen.HardMemoryLimit; hard > 0 && rss > hard {
		m.w.Kill(worker.ReasonHardMemory, fmt.Errorf("hard memory limit of %s: worker was killed at %s", size(hard), size(rss)))
	}
	if m.w.OOMKills() > 0 {
		p.bereaved(m, v.Answered)
	}
	m.answered = v.Answered
	wait := p.interval(m, rss, busy)
	if m.leaving != worker.ReasonNone || !m.ready || p.closing {
		return wait
	}
	switch age := m.w.Age(); {
	case m.ttl > 0 && age >= m.ttl:
		m.leaving = worker.ReasonTTL
	case m.softLimit > 0 && rss > m.softLimit && (age > settle || v.Answered > 0):
		m.leaving = worker.ReasonSoftMemory
	case m.gen.IdleTTL > 0 && !busy && v.Idle >= m.gen.IdleTTL:
		m.leaving = worker.ReasonIdle
		p.parked = min(p.parked+1, p.workers) // the spare one is beyond what is wanted
		p.retire(m)
	}
	return wait
}

// tellSight says once that the memory of workers that are alive cannot be read, for want of
// descriptors most likely, and once that it can again.
func (p *Pool) tellSight(err error) {
	was := p.blind
	p.blind = err != nil
	switch log := p.log(); {
	case p.blind && !was:
		log.Error("the memory of workers cannot be read: their memory limits are not kept until it can", "error", err)
	case was && !p.blind:
		log.Info("the memory of workers can be read again")
	}
}

// bereaved replaces a worker that lives on while the kernel has killed a descendant of it at the
// memory limit. It is ended at once if the task that was running at the last look still
// is: then this task went over the limit. If not, the one that did is gone, and the one in its
// place is let finish.
func (p *Pool) bereaved(m *member, answered uint64) {
	switch {
	case answered == m.answered:
		m.w.Kill(worker.ReasonHardMemory, nil)
	case m.leaving == worker.ReasonNone:
		m.leaving = worker.ReasonHardMemory
	}
}
