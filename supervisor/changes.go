package supervisor

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/brood-run/brood/supervisor/internal/pool"
)

// changes checks the settings of a reload and finds out what is new in them. With start held.
func (s *Supervisor) changes(r *roster, pools []PoolConfig) ([]change, error) {
	c := s.cfg
	c.Pools = pools
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	var all []change
	for i := range c.Pools {
		p := &c.Pools[i]
		running, err := r.named(p.Name)
		if err != nil {
			return nil, fmt.Errorf("%w: pools[%d].name: a reload cannot add a pool: %w", ErrConfig, i, err)
		}
		if err := s.settle(p, running.cfg.Load().Isolation); err != nil {
			return nil, fmt.Errorf("%w: pools[%d].%w", ErrConfig, i, err)
		}
		all = append(all, change{running, p, running.workersAfter(p), running.difference(p)})
	}
	if len(all) < len(r.pools) { // names are unique
		return nil, fmt.Errorf("%w: pools: a reload cannot remove one: %d are given, there are %d", ErrConfig, len(all), len(r.pools))
	}
	return all, nil
}

// settle decides a pool's isolation, as isolate does at the start: it stays what it is.
func (s *Supervisor) settle(p *PoolConfig, level Isolation) error {
	if p.Isolation != level && p.Isolation != IsolationAuto {
		return fmt.Errorf("isolation: it cannot change from %s to %s while the supervisor runs", level, p.Isolation)
	}
	p.Isolation = level
	if err := p.validateShared(); err != nil {
		return err
	}
	wanted, needed := p.caged()
	switch {
	case !wanted:
		return nil
	case s.cgroups != nil:
		if err := s.openFor(p); err != nil && needed {
			return fmt.Errorf("%s: %w", p.cagedFor(), err)
		}
	case needed:
		return fmt.Errorf("%s: %w", p.cagedFor(), errNoCgroups)
	}
	return nil
}

var errNoCgroups = errors.New("no pool needed a cgroup when the supervisor was started: start it again")

// workersAfter is how many workers a pool has after a reload: what Scale has made of them, unless
// the settings say something new.
func (p *plugin) workersAfter(to *PoolConfig) int {
	if to.Workers == p.cfg.Load().Workers {
		return p.pool.Size()
	}
	return to.Workers
}

// difference is what other settings change for a pool.
func (p *plugin) difference(to *PoolConfig) pool.Change {
	was, is := *p.cfg.Load(), *to
	if reflect.DeepEqual(was, is) {
		return pool.ChangeNothing
	}
	for _, c := range []*PoolConfig{&was, &is} {
		c.Tasks, c.Workers = nil, 0
		c.MaxAttempts, c.MaxCrashes, c.BackoffBase, c.BackoffCap = 0, 0, 0, 0
	}
	if reflect.DeepEqual(was, is) {
		return pool.ChangePool
	}
	return pool.ChangeWorkers
}
