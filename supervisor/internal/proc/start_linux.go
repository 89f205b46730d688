package proc

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// start forks and executes on the calling thread, to whose life the child's is tied.
func start(c *Command, null *os.File) (*Process, error) {
	pidfd := -1
	sys := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, PidFD: &pidfd, Credential: c.credential}
	c.namespaces(sys)
	return c.caged(sys, func() (*Process, error) {
		pid, _, err := syscall.StartProcess(c.executable(), append([]string{c.Path}, c.Args...), c.attr(null, sys))
		if err != nil {
			return nil, err
		}
		return newProcess(pid, newHandle(pidfd)), nil
	})
}

// attr turns the command into what the kernel interface takes.
func (c *Command) attr(null *os.File, sys *syscall.SysProcAttr) *syscall.ProcAttr {
	a := &syscall.ProcAttr{Dir: c.Dir, Env: c.Env, Sys: sys}
	if a.Env == nil {
		a.Env = os.Environ()
	}
	for _, f := range c.files(null) {
		a.Files = append(a.Files, f.Fd())
	}
	return a
}

// setNoNewPrivs marks the calling thread and all its future children.
func setNoNewPrivs() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot set no_new_privs: %w", err)
	}
	return nil
}
