//go:build unix && !linux

package proc

import (
	"context"
	"errors"
)

var errNoNamespaces = errors.New("PID namespaces exist on Linux only")

// PIDNamespaces says that there are none.
func (s *Spawner) PIDNamespaces(context.Context) error { return errNoNamespaces }

func (s *Spawner) startNamespaced(*Command) (*Process, error) { return nil, errNoNamespaces }

// Privileged is about namespaces too.
func Privileged() bool { return false }
