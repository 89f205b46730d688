package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// ErrNoBroker: what was asked for needs Config.Broker.
var ErrNoBroker = errors.New("the supervisor has no broker")

// Enqueue gives tasks to Config.Broker without waiting for results. It fills in the pool,
// and an id where there is none, and returns an error for each, nil for what is stored; a nil slice means
// that all are. Errors wrap task.ErrInvalid, ErrNoPool, those of broker.Queue's Enqueue,
// ErrClosed, ErrNotStarted or ErrNoBroker.
func (s *Supervisor) Enqueue(ctx context.Context, messages []*broker.Message) []error {
	now := time.Now()
	errs := make([]error, len(messages))
	good := make([]*broker.Message, 0, len(messages))
	at := make([]int, 0, len(messages))
	for i, m := range messages {
		if errs[i] = s.address(m, now); errs[i] == nil {
			good = append(good, m)
			at = append(at, i)
		}
	}
	bad := len(good) < len(messages)
	if len(good) > 0 {
		for i, err := range s.cfg.Broker.Enqueue(ctx, good) {
			errs[at[i]] = err
			bad = bad || err != nil
		}
	}
	if !bad {
		return nil
	}
	return errs
}

// address completes a message.
func (s *Supervisor) address(m *broker.Message, now time.Time) error {
	if s.cfg.Broker == nil {
		return ErrNoBroker
	}
	if err := m.Validate(); err != nil {
		return err
	}
	m.Fresh = m.Fresh || m.Task.ID == ""
	p, err := s.route(&m.Task, now)
	if err != nil {
		return err
	}
	if err := p.knows(&m.Task); err != nil {
		return err
	}
	m.Pool = p.name
	if m.Task.MaxAttempts == 0 && p.cfg.Load().MaxAttempts == 1 {
		m.Task.MaxAttempts = 1 // the broker has to know: see broker.Message.StartsOnce
	}
	if m.Submitted.IsZero() {
		m.Submitted = now
	}
	return nil
}

// knows refuses a task that the pool is said not to serve, before it is stored, and fills in the
// name if there is only one that it can be.
func (p *plugin) knows(t *task.Task) error {
	serves := p.cfg.Load().Tasks
	switch {
	case len(serves) == 0 || slices.Contains(serves, t.Name):
		return nil
	case t.Name == "" && len(serves) == 1:
		t.Name = serves[0]
		return nil
	}
	if t.Name == "" {
		return fmt.Errorf("%w: it has no name; pool %s serves: %s", ErrNoPool, p.name, strings.Join(serves, ", "))
	}
	return fmt.Errorf("%w: %q; pool %s serves: %s", ErrNoPool, t.Name, p.name, strings.Join(serves, ", "))
}
