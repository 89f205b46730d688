package supervisor

import (
	"errors"
	"fmt"

	"github.com/brood-run/brood/supervisor/internal/cgroup"
)

// leastCPU is the smallest share of a processor that the kernel can keep apart.
const leastCPU = 0.01

// validateShared checks the limits that need a cgroup.
func (p *PoolConfig) validateShared() error {
	l := p.Limits
	switch {
	case l.CPU != 0 && !(l.CPU >= leastCPU && l.CPU <= 1e6):
		return fmt.Errorf("limits.cpu: %v is not within %v to 1e+06 processors", l.CPU, leastCPU)
	case l.Pids < 0 || l.Pids > 1<<22:
		return fmt.Errorf("limits.pids: %d is not within 0 to %d", l.Pids, 1<<22)
	case p.Isolation != IsolationGroup:
		return nil
	case l.CPU != 0:
		return errors.New("limits.cpu: cpu_limit is kept by a cgroup: set isolation to cgroup or pidns")
	case l.Pids != 0:
		return errors.New("limits.pids: pids_limit is kept by a cgroup: set isolation to cgroup or pidns")
	}
	return nil
}

// shared are the limits of a worker with all its descendants.
func (p *PoolConfig) shared() cgroup.Limits {
	return cgroup.Limits{Memory: p.HardMemoryLimit, Pids: p.Limits.Pids, CPU: p.Limits.CPU}
}

// caged says whether a pool's workers are to have cgroups, and whether they cannot do without.
func (p *PoolConfig) caged() (wanted, needed bool) {
	if p.Isolation == IsolationGroup {
		return false, false
	}
	needed = p.Isolation == IsolationCgroup || p.Limits.CPU > 0 || p.Limits.Pids > 0
	return needed || p.HardMemoryLimit > 0, needed
}

// openCgroups makes the supervisor's place for cgroups if a pool has use for it.
func (s *Supervisor) openCgroups() error {
	for i := range s.cfg.Pools {
		p := &s.cfg.Pools[i]
		wanted, needed := p.caged()
		if !wanted {
			continue
		}
		err := s.openFor(p)
		if err != nil && needed {
			return fmt.Errorf("%w: pools[%d].%s: %w", ErrIsolation, i, p.cagedFor(), err)
		}
		if err != nil && !s.aside {
			s.cfg.Logger.Warn("the memory of workers is watched, not limited by the kernel", "pool", p.Name, "error", err)
		}
	}
	return nil
}

// cagedFor names the field for whose sake a pool's workers need cgroups.
func (p *PoolConfig) cagedFor() string {
	switch {
	case p.Limits.Pids > 0:
		return "limits.pids (pids_limit)"
	case p.Limits.CPU > 0:
		return "limits.cpu (cpu_limit)"
	}
	return "isolation"
}

func (s *Supervisor) closeCgroups() {
	if s.cgroups != nil {
		s.cgroups.Close()
		s.cgroups = nil
	}
}

// openParent makes the supervisor's place for cgroups, once.
func (s *Supervisor) openParent() (err error) {
	if s.cgroups == nil {
		s.cgroups, err = cgroup.Open()
	}
	return err
}

// openFor says why a pool cannot have what it needs.
func (s *Supervisor) openFor(p *PoolConfig) error {
	if err := s.openParent(); err != nil {
		return err
	}
	if err := s.cgroups.Supports(cgroup.Limits{Pids: p.Limits.Pids, CPU: p.Limits.CPU}); err != nil {
		return err
	}
	if err := s.cgroups.Supports(p.shared()); err != nil && !s.aside {
		s.cfg.Logger.Warn("the memory of workers is watched, not limited by the kernel", "pool", p.Name, "error", err)
	}
	return nil
}

// cage says how a pool's workers are put into cgroups, and which memory limit is left to be
// kept by watching them.
func (s *Supervisor) cage(p *PoolConfig) (*cgroup.Parent, cgroup.Limits, uint64) {
	wanted, _ := p.caged()
	if !wanted || s.cgroups == nil {
		return nil, cgroup.Limits{}, p.HardMemoryLimit
	}
	limits := p.shared()
	if s.cgroups.KeepsMemory() {
		return s.cgroups, limits, 0
	}
	limits.Memory = 0
	return s.cgroups, limits, p.HardMemoryLimit
}
