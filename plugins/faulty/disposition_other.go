//go:build !linux

package main

import (
	"os/signal"
	"syscall"
)

// restoreDefault does what it portably can: the runtime keeps its handlers for SIGSEGV and
// the like, and the process then ends by a panic trace instead.
func restoreDefault(s syscall.Signal) { signal.Reset(s) }
