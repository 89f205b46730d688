package proc

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// caged forks with the calling thread, and what it forks inside the cage.
func (c *Command) caged(sys *syscall.SysProcAttr, fork func() (*Process, error)) (*Process, error) {
	if c.Cage == nil {
		return fork()
	}
	fd, err := c.Cage.Enter()
	if err != nil {
		return nil, &cageError{err}
	}
	if fd >= 0 {
		sys.UseCgroupFD, sys.CgroupFD = true, fd
	}
	p, err := fork()
	if e := c.Cage.Leave(); e != nil {
		if p != nil {
			p.abandon()
		}
		return nil, errors.Join(err, &cageError{e})
	}
	if p != nil {
		p.cage = c.Cage
	}
	return p, err
}

// abandon ends a process that nobody has heard of yet.
func (p *Process) abandon() {
	_ = syscall.Kill(-p.pid, syscall.SIGKILL) // it may be over already
	p.awaitEnd()
	p.reap()
	p.release()
}

// cageError hides its cause: a refused cage says nothing about the executable.
type cageError struct{ err error }

// Error implements error.
func (e *cageError) Error() string { return fmt.Sprintf("its cage: %v", e.err) }

// onOwnThread runs f on a thread that ends with it. The process's first thread is never taken: the
// memory of the whole process goes where that one goes, and it enters cages.
func onOwnThread(f func()) {
	// Never unlocked: the thread may carry attributes that nobody else must inherit.
	runtime.LockOSThread()
	if unix.Gettid() != os.Getpid() {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		onOwnThread(f)
	}()
	<-done // keeps the first thread from being taken again
	runtime.UnlockOSThread()
}

// SweepCaged is Sweep for a process that had a cage. What the cage has killed is dead, without
// an environment to know it by. If it had nothing to kill and no child of ours is dead, there is
// nothing to do, and that is found out with one system call.
func (r *Reaper) SweepCaged(tree string, cage Cage, e Exit) (killed int) {
	if r == nil || tree == "" || e.Left == 0 && !anyDead() {
		return 0
	}
	return e.Left + r.sweep(func(t string) bool { return within(t, tree) }, cage.Held)
}

// anyDead says whether a child of ours waits to be reaped, without reaping it.
func anyDead() bool {
	var info unix.Siginfo
	err := ignoringEINTR(func() error {
		return unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	})
	return err == nil && info.Signo != 0
}
