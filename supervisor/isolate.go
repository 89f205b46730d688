package supervisor

import (
	"context"
	"fmt"
	"strings"

	"github.com/brood-run/brood/supervisor/internal/proc"
)

// rung is a level of isolation as this machine has it.
type rung struct {
	level  Isolation
	probe  func(context.Context) error // why it cannot be had, or nil
	effect string                      // what it means, in the log
}

// ladder lists the levels, the strongest first.
func (s *Supervisor) ladder() []rung {
	effect := "the kernel ends all that a worker started with it, and with the supervisor"
	if !proc.Privileged() {
		effect += "; in a user namespace, where a worker is the first process: signals it sends itself do nothing"
	}
	return []rung{
		{IsolationPIDNS, s.spawner.PIDNamespaces, effect},
		{IsolationCgroup, func(context.Context) error { return s.openParent() }, "the kernel ends all that a worker started with it; after the supervisor was killed, the next start does"},
		{IsolationGroup, func(context.Context) error { return nil }, "what a worker started is looked for when it ends"},
	}
}

// isolate settles the level of every pool and says so. A level that was asked for by name and cannot be
// had is an error: somebody may rely on it.
func (s *Supervisor) isolate(ctx context.Context) error {
	if err := proc.CheckProcfs(); err != nil {
		return fmt.Errorf("%w: %w", ErrIsolation, err)
	}
	rungs := s.ladder()
	for i := range s.cfg.Pools {
		p := &s.cfg.Pools[i]
		r, why, err := climb(ctx, rungs, p.Isolation)
		if err != nil {
			return fmt.Errorf("%w: pools[%d].isolation: %w", ErrIsolation, i, err)
		}
		log := s.cfg.Logger.Debug
		if p.Isolation == IsolationAuto && !s.aside {
			log = s.cfg.Logger.Info
		}
		log("isolation of workers", "pool", p.Name, "level", string(r.level), "effect", r.effect, "why", why)
		p.Isolation = r.level
		if err := p.validateShared(); err != nil {
			return fmt.Errorf("%w: pools[%d]: %w (%s)", ErrIsolation, i, err, why)
		}
	}
	return s.openCgroups()
}

// climb finds the rung that was asked for, and says why it is that one.
func climb(ctx context.Context, rungs []rung, asked Isolation) (found rung, why string, err error) {
	var passed []string
	for _, r := range rungs {
		if asked != IsolationAuto && asked != r.level {
			continue
		}
		err := r.probe(ctx)
		switch {
		case err == nil && asked != IsolationAuto:
			return r, "asked for", nil
		case err == nil:
			return r, strings.Join(append(passed, "the strongest that this machine permits"), "; "), nil
		case asked != IsolationAuto:
			return rung{}, "", fmt.Errorf("%s: %w; auto takes the strongest level that is possible", asked, err)
		}
		passed = append(passed, fmt.Sprintf("no %s: %v", r.level, err))
	}
	return rung{}, "", fmt.Errorf("there is no level %q", string(asked))
}
