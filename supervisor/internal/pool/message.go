package pool

import (
	"github.com/brood-run/brood/supervisor/internal/worker"
)

// message is something the loop must know of.
type message interface{}

type (
	becameReady struct{ w *worker.Worker }
	asked       struct {
		w      *worker.Worker
		reason string
	}
	exited struct {
		w *worker.Worker
		e *worker.Exit
	}
	wearing struct{ w *worker.Worker } // its lane is nearly used up
	empty   struct{ w *worker.Worker } // its lane has given all and got all back
	demand  struct{}
	stop    struct{ kill bool }

	recycle struct { // replace a worker
		name   string
		answer chan<- bool // whether there is one of that name; capacity 1
	}
	resize struct {
		workers int
		answer  chan<- bool // capacity 1
	}
	reload struct {
		Settings
		workers int
		change  Change
		answer  chan<- Outcome // capacity 1
	}
)

// post hands a message to the loop. It never blocks; a pool's messages are bounded by a few
// for each of its workers.
func (p *Pool) post(m message) {
	in := &p.inbox
	in.Lock()
	in.messages = append(in.messages, m)
	in.Unlock()
	select {
	case in.signal <- struct{}{}:
	default:
	}
}

// take empties the inbox.
func (p *Pool) take() []message {
	in := &p.inbox
	in.Lock()
	defer in.Unlock()
	ms := in.messages
	in.messages = nil
	return ms
}

// WorkerReady implements worker.Owner.
func (p *Pool) WorkerReady(w *worker.Worker) { p.post(becameReady{w}) }

// WorkerAsked implements worker.Owner.
func (p *Pool) WorkerAsked(w *worker.Worker, reason string) { p.post(asked{w, reason}) }

// WorkerExited implements worker.Owner.
func (p *Pool) WorkerExited(w *worker.Worker, e *worker.Exit) { p.post(exited{w, e}) }

// CountExit implements worker.Owner.
func (p *Pool) CountExit(e *worker.Exit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Reason != worker.ReasonShutdown { // that is no restart
		p.restarts[e.Reason]++
	}
	p.peak = max(p.peak, e.PeakRSS)
}

func (p *Pool) newLane(g *generation, w *worker.Worker, limit int) Lane {
	return g.Tasks.NewLane(w, limit, Notify{
		Wearing: func() { p.post(wearing{w}) },
		Empty:   func() { p.post(empty{w}) },
	})
}
