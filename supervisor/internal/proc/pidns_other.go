//go:build unix && !linux

package proc

import (
	"context"
	"errors"
)

var errNoNamespaces = errors.New("PID namespaces exist on Linux only")

// PIDNamespaces says that there are none.
func (s *Spawner) PIDNamespaces(context.Context) error { return errNoNamespaces }

func (s *Spawner) initFor(_ context.Context, c *Command) (*Process, error) {
	if c.PIDNamespace {
		return nil, errNoNamespaces
	}
	return nil, nil
}

func (s *Spawner) inside(*Process, func() error) error { return errNoNamespaces }

// Privileged is about namespaces too.
func Privileged() bool { return false }
