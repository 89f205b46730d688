package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// PIDNamespaces says why processes cannot be started in PID namespaces of their own here, in
// words for users, or nil. It tries.
func (s *Spawner) PIDNamespaces(ctx context.Context) error {
	return s.on(ctx, s.plain, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := s.openNull(); err != nil {
			return err
		}
		first, err := s.startInit()
		if err != nil {
			return explainNamespace(err)
		}
		defer func() { _ = first.Kill() }()
		if !Privileged() {
			return nil
		}
		return s.inside(first, func() error { return nil })
	})
}

func explainNamespace(err error) error {
	if !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return fmt.Errorf("a PID namespace needs CAP_SYS_ADMIN or user namespaces, which are forbidden or used up here "+
		"(the sysctls under user, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, or the container's seccomp profile): %w", err)
}

// startNamespaced starts a process in a PID namespace of its own. With mu held, on a spawner thread.
func (s *Spawner) startNamespaced(c *Command) (p *Process, err error) {
	if !Privileged() {
		// Only who may enter a namespace can put a process beside its init: this one
		// has to be the first itself.
		return start(c, s.null)
	}
	first, err := s.startInit()
	if err != nil {
		return nil, explainNamespace(err)
	}
	err = s.inside(first, func() (err error) {
		p, err = start(c, s.null)
		return err
	})
	if err != nil {
		_ = first.Kill() // it may be over already
		return nil, err
	}
	p.first = first
	return p, nil
}

// startInit starts the first process of a new namespace, and returns when it is up.
func (s *Spawner) startInit() (*Process, error) {
	if s.init == nil {
		f, err := newInitFile()
		if err != nil {
			return nil, err
		}
		s.init = f
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // only read
	attr := &syscall.ProcAttr{Env: []string{}, Files: []uintptr{s.null.Fd(), s.null.Fd(), s.null.Fd(), w.Fd()}}
	pidfd := -1
	attr.Sys = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, PidFD: &pidfd}
	newPIDNamespace(attr.Sys)
	pid, _, err := syscall.StartProcess(fmt.Sprintf("/proc/self/fd/%d", s.init.Fd()), []string{initName, firstPID()}, attr)
	_ = w.Close() // nothing was written to it
	runtime.KeepAlive(s)
	if err != nil {
		return nil, err
	}
	p := newProcess(pid, newHandle(pidfd))
	s.register(p, "")
	_, _ = r.Read(make([]byte, 1)) // ends when the process is up, or has ended
	return p, nil
}

// inside runs f with the calling thread set to fork into the namespace of a process.
func (s *Spawner) inside(first *Process, f func() error) error {
	if s.stray != nil {
		return s.stray
	}
	own, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return fmt.Errorf("cannot open the own process: %w", err)
	}
	defer func() { _ = unix.Close(own) }() // nothing was written to it
	if err := first.enter(); err != nil {
		return fmt.Errorf("cannot enter a new PID namespace: %w", err)
	}
	err = f()
	if back := unix.Setns(own, unix.CLONE_NEWPID); back != nil {
		s.stray = fmt.Errorf("cannot return from a PID namespace: %w", back)
	}
	return err
}

// enter has the calling thread fork into the process's PID namespace from now on.
func (p *Process) enter() error {
	if p.pidfd == nil {
		return errors.New("this kernel has no pidfds")
	}
	conn, err := p.pidfd.SyscallConn()
	if err != nil {
		return err
	}
	var entered error
	if err := conn.Control(func(fd uintptr) { entered = unix.Setns(int(fd), unix.CLONE_NEWPID) }); err != nil {
		return err
	}
	return entered
}

// newPIDNamespace has a process begin as the first one of a PID namespace. Who is not privileged needs a
// user namespace around it, in which everybody keeps his number and is nobody special.
func newPIDNamespace(sys *syscall.SysProcAttr) {
	sys.Cloneflags |= syscall.CLONE_NEWPID
	if Privileged() {
		return
	}
	uid, gid := os.Geteuid(), os.Getegid()
	sys.Cloneflags |= syscall.CLONE_NEWUSER
	sys.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
	sys.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
}

// Privileged says that we may make and enter namespaces.
func Privileged() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return false
	}
	return sets[0].Effective&(1<<unix.CAP_SYS_ADMIN) != 0
}
