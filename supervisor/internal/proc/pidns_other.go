//go:build unix && !linux

package proc

import (
	"context"
	"errors"
)

var errNoNamespaces = errors.New("PID namespaces exist on Linux only")

// PIDNamespaces says that there are none.
func (s *Spawner) PIDNamespaces(context.Context) error { return errNoNamespaces }

// space does not exist here.
type space struct{ first *Process }

func (*space) leave()   {}
func (*space) abandon() {}

func (s *Spawner) spaceFor(_ context.Context, c *Command) (*space, error) {
	if c.PIDNamespace {
		return nil, errNoNamespaces
	}
	return nil, nil
}

func (s *Spawner) inside(*space, func() error) error { return errNoNamespaces }

// CheckProcfs has nothing to check: there is no /proc.
func CheckProcfs() error { return nil }

// Privileged is about namespaces too.
func Privileged() bool { return false }
