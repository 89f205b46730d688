package supervisor

import (
	"context"
	"errors"
	"fmt"

	"github.com/brood-run/brood/supervisor/internal/pool"
)

// Reload gives the pools, matched by name, other settings, and has their workers replaced one by
// one: a worker of the new settings, from the file that Plugin leads to now, is up before one of
// the old finishes what it runs and leaves (reason reload). No task loses an attempt, and there are
// never fewer workers than before. A pool whose workers need not be replaced, because nothing
// that concerns them has changed, goes on with them. What Scale has made of a pool stays,
// unless Workers is another than before.
//
// If workers of the new settings cannot be started, or end before they have done anything, three
// times or because no other try can help, their pool is rolled back: it keeps the settings it had,
// and until a reload succeeds all its workers are started from the file that they were
// started from before, even if there is another at its path by now. (A file that was written
// over in place cannot be had back; and a script that is started in this way has another $0.) The
// error is a *ReloadError then, PoolSnapshot.Reload says why, and the other pools are reloaded all the same.
//
// All is checked before anything is changed; the error wraps ErrConfig and names the field. Pools cannot be
// added, removed or renamed, nor their Isolation changed. A task has the timeouts of the worker
// it runs in. Reload returns when the workers of the old settings have ended. If ctx
// ends first, the reload goes on all the same. A second Reload waits for the first.
func (s *Supervisor) Reload(ctx context.Context, pools []PoolConfig) error {
	select {
	case s.reloading <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("waited for another reload to end: %w", context.Cause(ctx))
	}
	r, err := s.beginReload(pools)
	if err != nil {
		<-s.reloading
		return err
	}
	return r.wait(ctx)
}

// CheckReload returns the error with which Reload would refuse these settings before it changes anything.
func (s *Supervisor) CheckReload(pools []PoolConfig) error {
	s.start.Lock()
	defer s.start.Unlock()
	roster, err := s.running()
	if err == nil {
		_, err = s.changes(roster, pools)
	}
	return err
}

// reload is a Reload under way. Its goroutine owns it until settled is closed.
type reload struct {
	changes []change
	settled chan struct{} // closed when each pool has been reloaded or rolled back
	errs    []error
	old     []<-chan struct{} // for each pool: closed when its old workers have ended
}

// change is one pool's part in a reload.
type change struct {
	plugin  *plugin
	cfg     *PoolConfig
	workers int
	what    pool.Change
}

func (s *Supervisor) beginReload(pools []PoolConfig) (*reload, error) {
	s.start.Lock() // Stop begins before or after this
	defer s.start.Unlock()
	roster, err := s.running()
	if err != nil {
		return nil, err
	}
	changes, err := s.changes(roster, pools)
	if err != nil {
		return nil, err
	}
	r := &reload{changes: changes, settled: make(chan struct{})}
	s.reloads.Go(func() {
		for _, c := range r.changes {
			if !r.apply(s, c) {
				break
			}
		}
		s.roster.Store(newRoster(roster.pools))
		<-s.reloading
		close(r.settled)
	})
	return r, nil
}

// apply reloads one pool. It says whether there is any use in going on.
func (r *reload) apply(s *Supervisor, c change) bool {
	p := c.plugin.pool
	answer := p.Reload(s.settings(c.cfg, c.plugin.tasks), c.workers, c.what)
	var out pool.Outcome
	select {
	case out = <-answer:
	case <-p.Done():
		out.Err = pool.ErrStopped
	}
	switch {
	case errors.Is(out.Err, pool.ErrStopped):
		r.errs = append(r.errs, ErrClosed)
		return false
	case out.Err != nil:
		r.errs = append(r.errs, &ReloadError{Pool: c.plugin.name, Err: out.Err})
	default:
		c.plugin.cfg.Store(c.cfg)
		if out.Replaced != nil {
			r.old = append(r.old, out.Replaced)
		}
	}
	return true
}

func (r *reload) wait(ctx context.Context) error {
	goesOn := func() error { return fmt.Errorf("the reload goes on: %w", context.Cause(ctx)) }
	select {
	case <-r.settled:
	case <-ctx.Done():
		return goesOn()
	}
	if len(r.errs) > 0 {
		return errors.Join(r.errs...)
	}
	for _, replaced := range r.old {
		select {
		case <-replaced:
		case <-ctx.Done():
			return goesOn()
		}
	}
	return nil
}
