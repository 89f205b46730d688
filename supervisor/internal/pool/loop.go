package pool

import (
	"time"

	"github.com/brood-run/brood/supervisor/internal/worker"
)

// idleLoop is how long the loop sleeps when it waits for nothing.
const idleLoop = time.Hour

// loop is the pool's goroutine.
func (p *Pool) loop() {
	defer close(p.done)
	defer func() { p.gen.Worker.Program.Close() }()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-p.inbox.signal:
		case <-timer.C:
		}
		for _, m := range p.take() {
			p.handle(m)
		}
		if p.closing && len(p.members) == 0 {
			return
		}
		now := time.Now()
		next := earlier(p.watch(now), p.pulse(now))
		next = earlier(next, p.adjust(now))
		next = earlier(next, p.ease(now))
		p.tellAble()
		timer.Reset(max(0, next.Sub(now)))
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func (p *Pool) handle(m message) {
	switch m := m.(type) {
	case becameReady:
		p.nowReady(m.w)
	case asked:
		if mb := p.members[m.w]; mb != nil && mb.leaving == worker.ReasonNone {
			p.log().Info("worker asks to be replaced", "worker", m.w.Name(), "reason", m.reason)
			mb.leaving = worker.ReasonAsked
		}
	case wearing:
		if mb := p.members[m.w]; mb != nil {
			mb.worn = true
		}
	case empty:
		if mb := p.members[m.w]; mb != nil {
			p.dismiss(mb)
		}
	case exited:
		p.lost(m.w, m.e)
	case demand:
		p.demanded.Store(false)
		p.parked = max(0, p.parked-max(1, p.gen.Tasks.Waiting()))
	case stop:
		p.stop(m.kill)
	case recycle:
		m.answer <- p.recycle(m.name)
	case resize:
		if !p.closing {
			p.resize(m.workers)
		}
		m.answer <- !p.closing
	case reload:
		p.begin(m)
	}
}

func (p *Pool) stop(kill bool) {
	p.closing = true
	p.endRoll(ErrStopped)
	p.killed = p.killed || kill
	for _, m := range p.members {
		p.dismissForShutdown(m)
	}
}

func (p *Pool) dismissForShutdown(m *member) {
	if p.killed {
		m.w.Kill(worker.ReasonShutdown, nil)
		return
	}
	m.w.Stop(worker.ReasonShutdown)
}

func (p *Pool) nowReady(w *worker.Worker) {
	m := p.members[w]
	if m == nil {
		return
	}
	m.ready = true
	if p.failed = 0; p.cannotStart {
		p.nextSpawn = time.Time{} // it can
	}
	m.gen.serves = w.Info()
	p.mu.Lock()
	p.serves = m.gen.serves
	p.mu.Unlock()
	if !p.everUp {
		p.everUp = true
		close(p.up)
	}
	if p.closing {
		p.dismissForShutdown(m)
		return
	}
	if !p.next(m) {
		return
	}
	if err := m.gen.lacks(); err != nil {
		p.rollBack(err)
		return
	}
	p.prove()
}

// capable says that a worker counts as one that will go on taking tasks.
func (p *Pool) capable(m *member) bool {
	return !m.worn && !m.retired && m != p.replacing && (!p.next(m) || p.roll.proven)
}

// wanted is how many capable workers there should be.
func (p *Pool) wanted() int {
	n := p.workers - p.parked
	if limit := p.newest().MaxTasksPerChild; limit > 0 && limit < shortLife && n > 0 {
		n++
	}
	return n
}

func (p *Pool) count(is func(*member) bool) int {
	n := 0
	for _, m := range p.members {
		if is(m) {
			n++
		}
	}
	return n
}

// retire lets a worker finish what it has; empty follows.
func (p *Pool) retire(m *member) {
	if m.retired || p.members[m.w] != m {
		return
	}
	m.retired = true
	m.w.Drain()
	m.w.NoteLeaving(worker.StateDraining, m.leaving)
	m.lane.Retire()
}

// dismiss tells an empty worker to leave.
func (p *Pool) dismiss(m *member) {
	if m.leaving == worker.ReasonNone {
		m.leaving = worker.ReasonMaxTasks
	}
	m.retired = true
	m.w.NoteLeaving(worker.StateStopping, m.leaving)
	m.w.Stop(m.leaving)
}

// adjust starts workers until there are as many as there should be, and returns when to
// look again.
func (p *Pool) adjust(now time.Time) time.Time {
	if p.closing {
		return now.Add(idleLoop)
	}
	p.relieve()
	p.settle()
	later, others := p.try(now)
	if !others {
		return later
	}
	starting := p.count(func(m *member) bool { return !m.ready && !m.retired })
	for capable := p.count(p.capable); capable < p.wanted(); capable++ {
		if now.Before(p.nextSpawn) {
			return earlier(later, p.nextSpawn)
		}
		if !p.everUp && starting >= firstStarts {
			return later
		}
		if p.crowded() {
			return later // an end brings us back
		}
		p.spawn(p.newest(), now)
		starting++
	}
	return later
}

// crowded says that as many workers are on their way out as there should be. Those that take
// their time, or that the kernel does not end, must not add up.
func (p *Pool) crowded() bool {
	return p.count(func(m *member) bool { return m.w.State() == worker.StateStopping }) >= p.wanted()
}

// relieve lets the worker go whose replacement is warm, and picks the next one.
func (p *Pool) relieve() {
	for {
		p.chooseReplaced()
		if p.replacing == nil || p.count(func(m *member) bool { return m.ready && p.capable(m) }) < p.wanted() {
			return
		}
		old := p.replacing
		p.replacing = nil
		p.retire(old)
	}
}

// chooseReplaced picks the next worker whose replacement is to be warmed up, the oldest: one at a
// time, so that planned recycling never costs more than one process.
func (p *Pool) chooseReplaced() {
	if p.replacing != nil {
		return
	}
	for _, m := range p.members {
		if m.leaving != worker.ReasonNone && !m.retired && m.ready && (p.replacing == nil || m.serial < p.replacing.serial) {
			p.replacing = m
		}
	}
}

// lost takes a dead worker off the books and decides how soon another may start.
func (p *Pool) lost(w *worker.Worker, e *worker.Exit) {
	<-w.Done() // its goroutine has only to return
	m := p.members[w]
	p.mu.Lock()
	delete(p.members, w)
	p.mu.Unlock()
	p.gone(w)
	if p.replacing == m {
		p.replacing = nil
	}
	answered := m.lane.View().Answered
	p.answered += answered
	if p.closing || e.Reason.Planned() {
		return
	}
	now := time.Now()
	switch {
	case p.givenUp(m) && e.Lost == 0: // whatever became of it
	case p.next(m) && e.Lost == 0 && answered == 0:
		p.failRoll(e, now)
	case !e.Ready:
		p.startFailed(e, now)
	case e.Lost > 0:
		// The limits of the tasks it took with it bound how often that happens.
		p.log().Warn(e.String(), "worker", e.Worker, "pid", e.PID, "reason", e.Reason, "tasks_lost", e.Lost)
	default:
		p.diedIdle(e, now, p.useful())
	}
}
