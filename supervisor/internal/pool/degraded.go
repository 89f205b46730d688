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

// easeEvery is how often a degraded pool looks whether it still is.
const easeEvery = time.Second

// remindEvery is how often a log is told that a pool still is.
const remindEvery = time.Minute

// quiet is how long nothing must have failed for a pool to be well again. It is longer than
// the time between two failures that a lasting cause leads to, so that the pool is not
// said to have recovered in between.
const quiet = 10 * time.Second

// startFailed slows the next start down, and gives up hope after a few.
func (p *Pool) startFailed(e *worker.Exit, now time.Time) {
	p.failed++
	if e.Reason == worker.ReasonStartTimeout {
		p.failed++ // each has cost so much time that two are enough
	}
	p.lastFailure, p.cannotStart = now, true
	p.mu.Lock()
	p.startErr = e.Err
	p.mu.Unlock()
	// One that starts in between shows that the plugin is sound.
	p.delay(now, p.restartFor.Delay(float64(p.failed), rand.Float64))
	p.degrade(fmt.Sprintf("worker cannot start: %v", e.Err))
	if !p.everUp && (errors.Is(e.Err, proc.ErrCannotStart) || p.failed >= startTries) {
		select {
		case <-p.gaveUp:
		default:
			close(p.gaveUp)
		}
	}
}

// useful is how many tasks the pool has answered since this was last asked.
func (p *Pool) useful() uint64 {
	total := p.answered
	for _, m := range p.members {
		if m.lane != nil {
			total += m.lane.View().Answered
		}
	}
	n := total - p.counted
	p.counted = total
	return n
}

// payback is how many tasks between two deaths of idle workers make up for a start.
const payback = 10

// diedIdle handles a worker that was up and died while no task ran in it. Nothing but a
// delay bounds how often that happens, unless the pool gets on with its work meanwhile: then the
// plugin is sound, and somebody kills its workers. useful is how many tasks were
// answered since the last such death; any at all make the wait a short one.
func (p *Pool) diedIdle(e *worker.Exit, now time.Time, useful uint64) {
	log := p.log().Warn
	weight, longest := 1.0, p.restartFor.Cap
	switch {
	case useful >= payback:
		weight, longest = 0, 0
	case useful > 0:
		weight, longest = 0.25, 100*time.Millisecond
	}
	p.score.Add(now, weight)
	p.lastFailure = now
	delay := min(longest, p.restartFor.Delay(p.score.Value(now), rand.Float64))
	if delay > 0 {
		p.cannotStart = false
		p.degrade(fmt.Sprintf("workers keep ending while they have nothing to do, the last with: %v "+
			"(if the plugin means to leave after some tasks, set max_tasks_per_child)", e))
		log = p.log().Debug
	}
	log(e.String()+" while it had nothing to do", "worker", e.Worker, "pid", e.PID, "reason", e.Reason, "tasks", useful)
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
	c := p.gen.Worker
	now := time.Now()
	if before == "" || now.Sub(p.toldDegraded) >= remindEvery {
		c.Logger.Error("pool is degraded", "reason", why)
		p.toldDegraded = now
	}
	if before == "" {
		c.Events.Publish(event.PoolDegraded{Time: now, Pool: c.Pool, Reason: why})
	}
}

// ease ends a degradation that is over and returns when to look again.
func (p *Pool) ease(now time.Time) time.Time {
	if !p.isDegraded() { // only the loop changes that
		return now.Add(idleLoop)
	}
	if !p.recovered(now) {
		return now.Add(easeEvery)
	}
	p.mu.Lock()
	p.degraded = ""
	p.mu.Unlock()
	c := p.gen.Worker
	c.Logger.Info("pool has recovered")
	c.Events.Publish(event.PoolRecovered{Time: now, Pool: c.Pool})
	return now.Add(idleLoop)
}

// tellAble says when tasks had better go elsewhere, and when they may come again.
func (p *Pool) tellAble() {
	unable := p.isDegraded() && p.count(func(m *member) bool { return m.ready }) == 0
	if p.able != nil && unable != p.unable {
		p.able(!unable)
	}
	p.unable = unable
}

func (p *Pool) isDegraded() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.degraded != ""
}

// recovered says that the cause of a degradation is gone. That workers are up does not show it:
// those that a limit leaves room for stay up, and one that takes the place of another
// starts, while there are still too few.
func (p *Pool) recovered(now time.Time) bool {
	up := p.count(func(m *member) bool { return m.ready })
	if up == 0 || p.failed > 0 {
		return false
	}
	complete := p.count(func(m *member) bool { return m.ready && p.capable(m) }) >= p.wanted()
	return p.cannotStart && complete || now.Sub(p.lastFailure) >= quiet
}
