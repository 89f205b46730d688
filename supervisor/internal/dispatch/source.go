package dispatch

import (
	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor/internal/policy"
	"github.com/brood-run/brood/supervisor/internal/pool"
	"github.com/brood-run/brood/supervisor/internal/worker"
)

// source is where workers that were started with the same settings get their tasks.
type source struct {
	d        *Dispatcher
	settings *Settings // they do not change
}

// Source returns where workers that are started with these settings get their tasks.
func (d *Dispatcher) Source(s Settings) pool.Source { return d.source(s) }

func (d *Dispatcher) source(s Settings) *source { return &source{d, &s} }

// NewLane implements pool.Source.
func (s *source) NewLane(w *worker.Worker, limit int, n pool.Notify) pool.Lane {
	return s.newLane(w, limit, n)
}

func (s *source) newLane(w Worker, limit int, n pool.Notify) *Lane {
	return &Lane{
		d: s.d, worker: w, limit: limit, notify: n, settings: s.settings,
		window: policy.Window{Min: s.settings.Slots, Max: max(s.settings.Slots, s.settings.Window)},
	}
}

// Waiting implements pool.Source.
func (s *source) Waiting() int { return s.d.Waiting() }

// Resize implements pool.Source.
func (s *source) Resize(workers int) {
	d := s.d
	d.mu.Lock()
	d.workers = workers
	d.activate()
	d.release()
}

// Adopt implements pool.Source.
func (s *source) Adopt(r ipc.Ready) {
	d := s.d
	d.mu.Lock()
	d.settings, d.slots = s.settings, s.settings.Slots
	d.learn(r)
	d.release()
}

// learn notes what the plugin serves.
func (d *Dispatcher) learn(r ipc.Ready) {
	if r.SDK == "" {
		return // no worker has said anything yet
	}
	d.handlers, d.only, d.served = map[string]bool{}, "", ""
	for _, name := range r.Tasks {
		d.handlers[name] = true
	}
	if len(r.Tasks) == 1 {
		d.only = r.Tasks[0]
	}
}

// vacant is how many workers' slots are free in lanes that are being emptied: warm ones may have
// them, so that one long task in a worker of many slots does not hold up the rest.
func (d *Dispatcher) vacant() int {
	slots, free := 1, 0
	for l := range d.lanes {
		if l.active && l.retired {
			free += max(0, l.settings.Slots-len(l.pipe))
		}
		slots = max(slots, l.settings.Slots)
	}
	return free / slots
}
