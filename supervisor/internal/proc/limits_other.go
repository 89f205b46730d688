//go:build unix && !linux

package proc

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

var errNoNewPrivs = errors.New("no_new_privs exists on Linux only")

func rlimits() map[string]int { return nil }

// limit sets the niceness. There is no OOM score here; it is ignored, because it
// has a default that nobody asked for.
func (p *Process) limit(l Limits) error {
	if l.Nice == 0 {
		return nil
	}
	err := p.alive(func() error {
		own, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
		if err != nil {
			return fmt.Errorf("cannot read the supervisor's niceness: %w", err)
		}
		if err := syscall.Setpriority(syscall.PRIO_PGRP, p.pid, min(max(own+l.Nice, -20), 19)); err != nil {
			return fmt.Errorf("cannot set nice to %d: %w", l.Nice, err)
		}
		return nil
	})
	if errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH) {
		return nil // nothing is left to be limited
	}
	return err
}
