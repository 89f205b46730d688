package pool

import (
	"errors"
	"fmt"
	"time"

	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/proc"
	"github.com/brood-run/brood/supervisor/internal/worker"
)

// rollPause is the wait after the first start that failed; it grows by itself. Somebody may still be
// writing the file.
const rollPause = 100 * time.Millisecond

// failRoll counts a worker of the next generation that came to nothing.
func (p *Pool) failRoll(e *worker.Exit, now time.Time) {
	r := p.roll
	r.failed++
	if e.Reason == worker.ReasonStartTimeout {
		r.failed++ // each has cost so much time that two are enough
	}
	p.log().Warn(e.String()+" while the pool was reloaded", "worker", e.Worker, "pid", e.PID, "reason", e.Reason)
	if r.failed >= startTries || errors.Is(e.Err, proc.ErrCannotStart) {
		p.rollBack(errors.New(e.String()))
		return
	}
	pause := time.Duration(r.failed) * rollPause
	if r.retry = now.Add(pause); r.proven {
		p.delay(now, pause)
	}
}

// rollBack has the next generation replaced by the one before, started from the file that that
// was started from.
func (p *Pool) rollBack(why error) {
	next := p.roll.next
	if err := p.gen.Worker.Program.Pin(); err != nil { // if it was before, it is
		why = fmt.Errorf("%w (workers start from what is there now: %w)", why, err)
	}
	if r := p.replacing; r != nil && r.gen == p.gen && r.leaving == worker.ReasonReload {
		p.replacing = nil
	}
	p.endRoll(why)
	for _, m := range p.members {
		switch {
		case m.gen == next:
			p.replace(m)
		case m.gen == p.gen && m.leaving == worker.ReasonReload && !m.retired:
			m.leaving = worker.ReasonNone
		}
	}
	p.tellReload(why.Error())
	p.announce(p.log().Error, event.ReloadRolledBack{Time: time.Now(), Pool: p.gen.Worker.Pool, Reason: why.Error()})
}
