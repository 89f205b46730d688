package pool

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/proc"
	"github.com/brood-run/brood/supervisor/internal/worker"
)

// idleLoop is how long the loop sleeps when it waits for nothing.
const idleLoop = time.Hour

// easeEvery is how often a degraded pool looks whether it still is.
const easeEvery = time.Second

// loop is the pool's goroutine.
func (p *Pool) loop() {
	defer close(p.done)
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
		next := p.watch(now)
		if due := p.pulse(now); due.Before(next) {
			next = due
		}
		if due := p.adjust(now); due.Before(next) {
			next = due
		}
		if due := p.ease(now); due.Before(next) {
			next = due
		}
		timer.Reset(max(0, next.Sub(now)))
	}
}

func (p *Pool) handle(m message) {
	switch m := m.(type) {
	case becameReady:
		p.nowReady(m.w)
	case asked:
		if mb := p.members[m.w]; mb != nil && mb.leaving == worker.ReasonNone {
			p.cfg.Worker.Logger.Info("worker asks to be replaced", "worker", m.w.Name(), "reason", m.reason)
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
		p.parked = max(0, p.parked-max(1, p.cfg.Tasks.Waiting()))
	case stop:
		p.stop(m.kill)
	}
}

func (p *Pool) stop(kill bool) {
	p.closing = true
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
	p.failed = 0
	p.mu.Lock()
	p.serves = w.Info()
	p.mu.Unlock()
	if !p.everUp {
		p.everUp = true
		close(p.up)
	}
	if p.closing {
		p.dismissForShutdown(m)
		return
	}
	if old := p.replacing; old != nil && p.count(func(m *member) bool { return m.ready && p.capable(m) }) >= p.wanted() {
		// The replacement is warm: now the old one may go.
		p.replacing = nil
		p.retire(old)
	}
}

// capable says that a worker counts as one that will go on taking tasks.
func (p *Pool) capable(m *member) bool {
	return !m.worn && !m.retired && m != p.replacing
}

// wanted is how many capable workers there should be.
func (p *Pool) wanted() int {
	n := p.cfg.Workers - p.parked
	if p.cfg.MaxTasksPerChild > 0 && p.cfg.MaxTasksPerChild < shortLife && n > 0 {
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
	later := now.Add(idleLoop)
	if p.closing {
		return later
	}
	p.chooseReplaced()
	starting := p.count(func(m *member) bool { return !m.ready })
	for capable := p.count(p.capable); capable < p.wanted(); capable++ {
		if now.Before(p.nextSpawn) {
			return p.nextSpawn
		}
		if !p.everUp && starting >= firstStarts {
			return later
		}
		p.spawn(now)
		starting++
	}
	return later
}

// chooseReplaced picks the next worker whose replacement is to be warmed up: one at a
// time, so that planned recycling never costs more than one process.
func (p *Pool) chooseReplaced() {
	if p.replacing != nil {
		return
	}
	for _, m := range p.members {
		if m.leaving != worker.ReasonNone && !m.retired && m.ready {
			p.replacing = m
			return
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
	if p.replacing == m {
		p.replacing = nil
	}
	if p.closing || e.Reason.Planned() {
		return
	}
	now := time.Now()
	switch {
	case !e.Ready:
		p.startFailed(e, now)
	case e.Lost > 0:
		// The limits of the tasks it took with it bound how often that happens.
		p.cfg.Worker.Logger.Warn(e.String(), "worker", e.Worker, "pid", e.PID, "reason", e.Reason, "tasks_lost", e.Lost)
	default:
		p.diedIdle(e, now, m.lane.View().Answered)
	}
}

// startFailed slows the next start down, and gives up hope after a few.
func (p *Pool) startFailed(e *worker.Exit, now time.Time) {
	p.failed++
	if e.Reason == worker.ReasonStartTimeout {
		p.failed++ // each has cost so much time that two are enough
	}
	p.score.Add(now, 1)
	p.mu.Lock()
	p.startErr = e.Err
	p.mu.Unlock()
	p.delay(now, p.restartFor.Delay(p.score.Value(now), rand.Float64))
	p.degrade(fmt.Sprintf("worker cannot start: %v", e.Err))
	if !p.everUp && (errors.Is(e.Err, proc.ErrCannotStart) || p.failed >= startTries) {
		select {
		case <-p.gaveUp:
		default:
			close(p.gaveUp)
		}
	}
}

// diedIdle handles a worker that was up and died while no task ran in it. Nothing but a
// delay bounds how often that happens. One that had worked is made to wait less: it is of use.
func (p *Pool) diedIdle(e *worker.Exit, now time.Time, answered uint64) {
	log := p.cfg.Worker.Logger.Warn
	weight, longest := 1.0, p.restartFor.Cap
	if answered > 0 {
		weight, longest = 0.25, 100*time.Millisecond
	}
	p.score.Add(now, weight)
	delay := min(longest, p.restartFor.Delay(p.score.Value(now), rand.Float64))
	if delay > 0 {
		p.degrade(fmt.Sprintf("workers keep ending while they have nothing to do, the last with: %v "+
			"(if the plugin means to leave after some tasks, set max_tasks_per_child)", e))
		log = p.cfg.Worker.Logger.Debug
	}
	log(e.String()+" while it had nothing to do", "worker", e.Worker, "pid", e.PID, "reason", e.Reason, "tasks", answered)
	p.delay(now, delay)
}

func (p *Pool) delay(now time.Time, d time.Duration) {
	if at := now.Add(d); at.After(p.nextSpawn) {
		p.nextSpawn = at
	}
}

func (p *Pool) degrade(why string) {
	p.mu.Lock()
	before := p.degraded
	p.degraded = why
	p.mu.Unlock()
	if before == "" {
		c := p.cfg.Worker
		c.Logger.Error("pool is degraded", "reason", why)
		c.Events.Publish(event.PoolDegraded{Time: time.Now(), Pool: c.Pool, Reason: why})
	}
}

// ease ends a degradation when a worker is up and the failures have faded, and returns
// when to look again.
func (p *Pool) ease(now time.Time) time.Time {
	p.mu.Lock()
	degraded := p.degraded != ""
	over := degraded && p.score.Value(now) <= p.restartFor.Free && p.count(func(m *member) bool { return m.ready }) > 0
	if over {
		p.degraded = ""
	}
	p.mu.Unlock()
	switch {
	case over:
		c := p.cfg.Worker
		c.Logger.Info("pool has recovered")
		c.Events.Publish(event.PoolRecovered{Time: now, Pool: c.Pool})
	case degraded:
		return now.Add(easeEvery)
	}
	return now.Add(idleLoop)
}
