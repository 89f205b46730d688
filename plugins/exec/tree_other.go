//go:build !linux

package main

import "syscall"

// adoptOrphans does nothing: only Linux lets a process adopt its orphans. Elsewhere
// a command's process group is all that can be found again.
func adoptOrphans() error { return nil }

func groupAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// awaitExit reaps the command as it waits: there is no portable way to wait and
// leave it. Its group's number stays taken while a member lives, so that a later
// signal to the group finds those or nobody.
func (p *process) awaitExit() { p.state, _ = p.Wait() }

// reap reports what awaitExit found.
func (p *process) reap() error {
	if p.state == nil {
		return syscall.ECHILD
	}
	return nil
}

func (r *runner) sweep(*process) {}
