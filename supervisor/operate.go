package supervisor

import (
	"fmt"
	"strings"
)

// Recycle has the worker of that name, as in Snapshot, replaced: another one comes up, then this
// one finishes what it has and leaves (reason request). It returns at once. The error wraps
// ErrNoWorkerNamed if there is no such worker.
func (s *Supervisor) Recycle(worker string) error {
	r, err := s.running()
	if err != nil {
		return err
	}
	for _, p := range r.pools {
		if p.pool.Recycle(worker) {
			return nil
		}
	}
	if s.closed.Load() {
		return ErrClosed
	}
	return fmt.Errorf("%w %q", ErrNoWorkerNamed, worker)
}

// Scale changes the number of a pool's workers, 1 to 10,000, while it runs, and returns at once.
// Those that are too many, idle ones first, finish what they run and leave (reason
// scale_down); what waits in them goes to others. No task loses an attempt. The number holds until
// the next Scale, or a Reload that changes Workers. The error wraps ErrNoPoolNamed or ErrConfig.
func (s *Supervisor) Scale(pool string, workers int) error {
	r, err := s.running()
	if err != nil {
		return err
	}
	p, err := r.named(pool)
	if err != nil {
		return err
	}
	if workers == 0 {
		return fmt.Errorf("%w: workers: a pool has at least one; pause the pool to have it run nothing", ErrConfig)
	}
	if err := between("workers", workers, 1, maxWorkers); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if !p.pool.Resize(workers) {
		return ErrClosed
	}
	return nil
}

// named finds a pool.
func (r *roster) named(name string) (*plugin, error) {
	var names []string
	for _, p := range r.pools {
		if p.name == name {
			return p, nil
		}
		names = append(names, p.name)
	}
	return nil, fmt.Errorf("%w %q; the pools are: %s", ErrNoPoolNamed, name, strings.Join(names, ", "))
}
