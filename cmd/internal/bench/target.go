package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

// Target is what is measured: one kind of task, served by one plugin.
type Target struct {
	Pool    supervisor.PoolConfig // its Workers are set by Open
	Task    string                // empty if the plugin serves one
	Payload []byte                // the same for every task
	Echo    bool                  // a result that differs from the payload counts as wrong
	Logger  hclog.Logger          // nil means none
}

// Rig is a running supervisor with workers that are all ready.
type Rig struct {
	target  Target
	workers int
	s       *supervisor.Supervisor
	events  eventStream
	typical time.Duration // how long one task takes when it is alone
}

// Open starts a supervisor and waits until each of its workers is ready.
func (t Target) Open(ctx context.Context, workers int) (*Rig, error) {
	pool := t.Pool
	pool.Workers = workers
	s, err := supervisor.New(supervisor.Config{
		Pools:     []supervisor.PoolConfig{pool},
		Logger:    t.Logger,
		QueueSize: max(1024, InFlight(workers, max(1, pool.Slots), 0, 0)),
	})
	if err != nil {
		return nil, err
	}
	r := &Rig{target: t, workers: workers, s: s}
	r.events = subscribe(s, workers)
	if err := r.start(ctx); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Rig) start(ctx context.Context) error {
	if err := r.s.Start(); err != nil {
		return err
	}
	// A plugin that cannot start is known here, with the reason.
	if err := r.s.WaitReady(ctx); err != nil {
		return err
	}
	return r.events.allReady(ctx, r.workers)
}

// Close stops the workers and waits for them.
func (r *Rig) Close() {
	r.events.sub.Close()
	_ = r.s.Close() // documented to return nil
}

func (r *Rig) task() task.Task {
	return task.Task{Name: r.target.Task, Payload: r.target.Payload}
}

// Probe runs a single task and remembers how long it took, which is how the driver
// knows how many to keep in flight. The first task of a worker is slower than the
// others, so of a quick one there are several.
func (r *Rig) Probe(ctx context.Context) (Tally, error) {
	var sum Tally
	for range 20 {
		began := time.Now()
		if err := r.one(ctx, &sum); err != nil {
			return sum, err
		}
		r.typical = time.Since(began)
		if r.typical > 10*time.Millisecond || sum.Failed() > 0 {
			break
		}
	}
	return sum, nil
}

// one runs a task and waits for it.
func (r *Rig) one(ctx context.Context, sum *Tally) error {
	h, err := r.s.Submit(ctx, r.task())
	if err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	result, err := h.Wait(ctx)
	if err != nil {
		return err
	}
	sum.add(&result, &r.target)
	return nil
}

// Use changes the payload of the tasks to come.
func (r *Rig) Use(payload []byte) { r.target.Payload = payload }
