//go:build !linux

package main

import "syscall"

// adoptOrphans does nothing: only Linux lets a process adopt its orphans. Elsewhere
// a command's process group is all that can be found again.
func adoptOrphans() error { return nil }

func groupAttr(*int) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// reap reports what awaitExit found.
func (p *process) reap() error {
	if p.state == nil {
		return syscall.ECHILD
	}
	return nil
}

func (r *runner) sweep(*process) {}
