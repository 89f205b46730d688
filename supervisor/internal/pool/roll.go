package pool

import (
	"errors"
	"time"

	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/worker"
)

// ErrStopped is a reload's error when the pool stops meanwhile.
var ErrStopped = errors.New("the pool stopped")

// errRolling is a reload's error while another one is under way.
var errRolling = errors.New("another reload is under way")

// Change is what a reload changes besides, perhaps, the plugin's file.
type Change uint8

// Changes, each with those before it.
const (
	ChangeNothing Change = iota
	ChangePool           // something that concerns no worker
	ChangeWorkers
)

// Outcome is how a reload ended.
type Outcome struct {
	Err error // why it was taken back
	// Replaced is closed when the workers of former settings have ended; nil if there were none.
	Replaced <-chan struct{}
}

// roll is a reload under way. Until it is accepted the pool is what it was, with workers of the
// next generation among its own.
type roll struct {
	next    *generation
	workers int       // how many there are to be then
	alone   bool      // no more can be started of the generation before
	proven  bool      // a worker of it was ready
	failed  int       // how many came to nothing
	retry   time.Time // not before
	answer  chan<- Outcome
}

// Reload has the workers replaced, one by one, by workers of other settings, each of them warm
// before an old one drains. If none of the new ones can be started, or they
// end before they have done anything, all is taken back. The workers that there are go on if
// nothing has changed that concerns them, the plugin's file included, and all is well with them.
// The answer comes once it is clear how it ended, but not after Done.
func (p *Pool) Reload(s Settings, workers int, c Change) <-chan Outcome {
	answer := make(chan Outcome, 1)
	p.post(reload{s, workers, c, answer})
	return answer
}

func (p *Pool) begin(m reload) {
	switch {
	case p.closing:
		m.answer <- Outcome{Err: ErrStopped}
		return
	case p.roll != nil:
		m.answer <- Outcome{Err: errRolling}
		return
	}
	if p.isDegraded() || !p.gen.Worker.Program.Current() {
		m.change = ChangeWorkers
	}
	if m.change == ChangeNothing {
		p.log().Debug("nothing to reload: settings and plugin are what they were")
		m.answer <- Outcome{}
		return
	}
	p.roll = &roll{next: &generation{Settings: m.Settings}, workers: m.workers, answer: m.answer}
	if m.change == ChangePool {
		p.adoptAll()
		return
	}
	p.announce(p.log().Info, event.ReloadStarted{Time: time.Now(), Pool: p.gen.Worker.Pool, Workers: p.workers})
	// While the new file is tried, workers that end have others of the old one take their place.
	p.roll.alone = p.gen.Worker.Program.Pin() != nil
}

// try sees to it that there is one worker of the next generation, beside the others, until it
// is known that it starts. It returns when to look again, and whether others may be started too.
func (p *Pool) try(now time.Time) (due time.Time, others bool) {
	due = now.Add(idleLoop)
	if p.roll == nil || p.roll.proven {
		return due, true
	}
	if p.count(func(m *member) bool { return p.next(m) && !m.retired }) == 0 {
		if now.Before(p.roll.retry) {
			due = p.roll.retry
		} else {
			p.spawn(p.roll.next, now)
		}
	}
	return due, !p.roll.alone
}

// prove begins the replacement of the workers that there are, when the first new one is ready.
func (p *Pool) prove() {
	if p.roll.proven {
		return
	}
	p.roll.proven = true
	p.nextSpawn = time.Time{} // whatever failed before, this mends it
	for _, m := range p.members {
		if !p.next(m) {
			p.replace(m)
		}
	}
}

// replace has a worker leave as soon as another one is warm; one that has not come up yet need not.
func (p *Pool) replace(m *member) {
	if m.leaving == worker.ReasonNone {
		m.leaving = worker.ReasonReload
	}
	if !m.ready {
		p.retire(m)
	}
}

// adoptAll makes the workers that there are ones of the next generation.
func (p *Pool) adoptAll() {
	next := p.roll.next
	next.Worker.Program, next.serves, next.pulsed = p.gen.Worker.Program, p.gen.serves, p.gen.pulsed
	for _, m := range p.members {
		if m.gen == p.gen {
			m.gen = next
		}
	}
	p.accept()
}

// settle accepts the next generation when it has what it takes: no worker of the others is left
// but those that drain, or there are as many of its own as there are to be.
func (p *Pool) settle() {
	if p.roll == nil || !p.roll.proven {
		return
	}
	old, young := 0, 0
	for _, m := range p.members {
		switch {
		case m.retired:
		case m.gen != p.roll.next:
			old++
		case m.ready && p.capable(m):
			young++
		}
	}
	if old == 0 && young > 0 || young >= p.roll.workers {
		p.accept()
	}
}

// accept puts the next generation's settings in force.
func (p *Pool) accept() {
	r, former := p.roll, p.gen
	p.roll, p.gen, p.replacing = nil, r.next, nil
	p.parks.Store(p.gen.IdleTTL > 0)
	p.gen.Tasks.Adopt(p.gen.serves)
	old := map[*worker.Worker]bool{}
	for w, m := range p.members {
		if m.gen != p.gen {
			old[w] = true
			p.replace(m)
			p.retire(m)
		}
	}
	p.resize(r.workers)
	if former.Worker.Program != p.gen.Worker.Program {
		former.Worker.Program.Close()
	}
	p.tellReload("")
	p.announce(p.log().Info, event.ReloadFinished{Time: time.Now(), Pool: p.gen.Worker.Pool, Workers: p.workers})
	r.answer <- Outcome{Replaced: p.bid(old)}
}

// announce publishes what somebody may wait for, and logs it.
func (p *Pool) announce(log func(string, ...any), e event.Event) {
	p.gen.Worker.Events.Publish(e)
	log(e.String(), "event", e.Kind())
}

// endRoll gives a reload up, if one is under way.
func (p *Pool) endRoll(why error) {
	if r := p.roll; r != nil {
		p.roll = nil
		r.next.Worker.Program.Close()
		r.answer <- Outcome{Err: why}
	}
}

func (p *Pool) tellReload(why string) {
	p.mu.Lock()
	p.reload = why
	p.mu.Unlock()
}
