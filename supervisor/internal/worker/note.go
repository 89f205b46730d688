package worker

import (
	"time"

	"github.com/brood-run/brood/supervisor/event"
)

// Note publishes a step of a worker's or a pool's life and logs it at debug level.
func (c *Config) Note(e event.Event) {
	c.Events.Publish(e)
	if c.Logger.IsDebug() {
		c.Logger.Debug(e.String(), "event", e.Kind())
	}
}

// NoteLeaving notes that a worker drains or, once it is empty, stops.
func (w *Worker) NoteLeaving(s State, why Reason) {
	if s == StateDraining {
		w.cfg.Note(event.WorkerDraining{Time: time.Now(), Pool: w.cfg.Pool, Worker: w.name, PID: w.PID(), Reason: why.String()})
		return
	}
	w.cfg.Note(event.WorkerStopping{Time: time.Now(), Pool: w.cfg.Pool, Worker: w.name, PID: w.PID(), Reason: why.String()})
}
