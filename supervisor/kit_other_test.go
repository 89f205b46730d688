//go:build !linux

package supervisor_test

import "testing"

// noChildren cannot be told without /proc.
func noChildren(testing.TB) {}

func playSupervisor() bool { return false }
func playIsolated() bool   { return false }
func playCramped() bool    { return false }
func playDebugger() bool   { return false }
