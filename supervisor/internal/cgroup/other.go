//go:build !linux

package cgroup

import (
	"errors"
	"time"
)

var errNone = errors.New("cgroups exist on Linux only")

// Parent does not exist here.
type Parent struct{}

// Cgroup does not exist here.
type Cgroup struct{}

// Open says that there are none.
func Open() (*Parent, error) { return nil, errNone }

// Available says that there are none.
func Available() error { return errNone }

// KeepsMemory is false.
func (*Parent) KeepsMemory() bool { return false }

// Supports says that there are none.
func (*Parent) Supports(Limits) error { return errNone }

// New says that there are none.
func (*Parent) New(string, Limits) (*Cgroup, error) { return nil, errNone }

// Close does nothing.
func (*Parent) Close() {}

// Enter says that there are none.
func (*Cgroup) Enter() (int, error) { return -1, errNone }

// Leave does nothing.
func (*Cgroup) Leave() error { return nil }

// Kill does nothing.
func (*Cgroup) Kill() error { return nil }

// Close does nothing.
func (*Cgroup) Close() (int, error) { return 0, nil }

// Held is false.
func (*Cgroup) Held(int) bool { return false }

// Memory cannot be told.
func (*Cgroup) Memory() (uint64, bool) { return 0, false }

// Events are none.
func (*Cgroup) Events() Events { return Events{} }

// OOMKills is zero.
func (*Cgroup) OOMKills() int { return 0 }

// CPU cannot be told.
func (*Cgroup) CPU() time.Duration { return 0 }
