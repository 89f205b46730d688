//go:build unix && !linux

package proc

import (
	"errors"
	"fmt"
)

// adopted is empty: there are no Reapers here.
type adopted struct{}

// EnableReaper is for Linux, where a process can adopt orphans.
func EnableReaper(...*Spawner) (*Reaper, error) {
	return nil, fmt.Errorf("orphans can be adopted on Linux only: %w", errors.ErrUnsupported)
}

func (*Reaper) sweep(func(string) bool, func(int) bool) int { return 0 }

// Close has nothing to give back.
func (*Reaper) Close() error { return nil }
