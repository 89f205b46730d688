package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// PIDNamespaces says why processes cannot be started in PID namespaces of their own here, in
// words for users, or nil. It tries.
func (s *Spawner) PIDNamespaces(ctx context.Context) error {
	first, err := s.startInit(ctx)
	if err != nil {
		return err
	}
	defer func() {
		_ = first.Kill()
		<-first.Done()
	}()
	if !Privileged() {
		return nil
	}
	return s.on(ctx, s.plain, func() error {
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

// initFor starts the init of the command's PID namespace, if there is one to put the command
// beside: without privileges nobody can, and the command has to be the first process itself.
func (s *Spawner) initFor(ctx context.Context, c *Command) (*Process, error) {
	if !c.PIDNamespace || !Privileged() {
		return nil, nil
	}
	return s.startInit(ctx)
}

// startInit starts the first process of a new namespace, on a thread that is not confined, and
// returns when it is up.
func (s *Spawner) startInit(ctx context.Context) (first *Process, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // only read
	err = s.on(ctx, s.plain, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		first, err = s.forkInit(w)
		return err
	})
	_ = w.Close() // nothing was written to it
	if err != nil {
		return nil, explainNamespace(err)
	}
	_, _ = r.Read(make([]byte, 1)) // ends when the process is up, or has ended
	return first, nil
}

// forkInit is called with mu held, on the plain thread.
func (s *Spawner) forkInit(up *os.File) (_ *Process, err error) {
	if s.closed {
		return nil, ErrSpawnerClosed
	}
	if err := s.openNull(); err != nil {
		return nil, err
	}
	if s.init == nil {
		if s.init, err = newInitFile(); err != nil {
			return nil, err
		}
	}
	pidfd := -1
	sys := &syscall.SysProcAttr{
		Setpgid: true, Pdeathsig: syscall.SIGKILL, PidFD: &pidfd, Cloneflags: syscall.CLONE_NEWPID,
	}
	if !Privileged() {
		sys.Cloneflags |= syscall.CLONE_NEWUSER
		keepUser(sys)
	}
	null := s.null.Fd()
	path := fmt.Sprintf("/proc/self/fd/%d", s.init.Fd())
	pid, _, err := syscall.StartProcess(path, []string{initName, firstPID()}, &syscall.ProcAttr{
		Env: []string{}, Files: []uintptr{null, null, null, up.Fd()}, Sys: sys,
	})
	if err != nil {
		return nil, err
	}
	p := newProcess(pid, newHandle(pidfd))
	s.plain.users++
	s.register(s.plain, p, "")
	return p, nil
}

// inside runs f with the calling thread, one of ours, set to fork into the namespace of a process.
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
