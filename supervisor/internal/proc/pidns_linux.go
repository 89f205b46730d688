package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// space is a PID namespace that a process is to be started in.
type space struct {
	first *Process // its init
	// ns leads there. Opened by a thread that is not confined: others may not look at the
	// init. Nil if nobody but init can be there.
	ns *os.File
}

// leave closes the way. The namespace lives as long as its init.
func (sp *space) leave() {
	if sp.ns != nil {
		_ = sp.ns.Close() // nothing was written to it
	}
}

// abandon ends a namespace that no process was started in.
func (sp *space) abandon() {
	_ = sp.first.Kill() // it may be over already
	<-sp.first.Done()
}

// PIDNamespaces says why processes cannot be started in PID namespaces of their own here, in
// words for users, or nil. It tries.
func (s *Spawner) PIDNamespaces(ctx context.Context) error {
	sp, err := s.newSpace(ctx, "")
	if err != nil {
		return err
	}
	defer sp.abandon()
	defer sp.leave()
	if sp.ns == nil {
		return nil
	}
	return s.on(ctx, s.plain, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.inside(sp, func() error { return nil })
	})
}

// namespaceError is what the kernel said to a clone.
type namespaceError struct{ err error }

// Error implements error.
func (e *namespaceError) Error() string { return e.err.Error() }

// Unwrap implements errors.Unwrap.
func (e *namespaceError) Unwrap() error { return e.err }

func explainNamespace(err error) error {
	var refused *namespaceError
	if !errors.As(err, &refused) || !(errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOSPC)) {
		return err
	}
	return fmt.Errorf("a PID namespace needs CAP_SYS_ADMIN or user namespaces, which are forbidden or used up here "+
		"(the sysctls under user, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, or the container's seccomp profile): %w", err)
}

// spaceFor makes the command's PID namespace, if there is an init to put the command
// beside: without privileges nobody can, and the command has to be the first process itself.
func (s *Spawner) spaceFor(ctx context.Context, c *Command) (*space, error) {
	if !c.PIDNamespace || !Privileged() {
		return nil, nil
	}
	return s.newSpace(ctx, treeOf(c.Env))
}

// newSpace starts the first process of a new namespace, and returns when it is up. Somebody who
// kills us before the process has asked for a signal at our death is not found out by that signal,
// and a first process cannot send it to itself. So it ends unless it is told, when it has
// asked, to stay; the end of the pipe is the end of us.
func (s *Spawner) newSpace(ctx context.Context, tree string) (sp *space, err error) {
	up, theirUp, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = up.Close() }() // only read
	theirStay, stay, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, theirUp.Close())
	}
	defer func() { _ = stay.Close() }() // one byte is written to it
	err = s.on(ctx, s.plain, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		sp, err = s.forkSpace(tree, theirUp, theirStay)
		return err
	})
	_, _ = theirUp.Close(), theirStay.Close() // nothing was written to them
	if err != nil {
		return nil, explainNamespace(err)
	}
	_, _ = stay.Write([]byte{1})    // if it is gone, the next line finds its end too
	_, _ = up.Read(make([]byte, 1)) // ends when the process is up, or has ended
	return sp, nil
}

// forkSpace is called with mu held, on the plain thread.
func (s *Spawner) forkSpace(tree string, up, stay *os.File) (*space, error) {
	first, err := s.forkInit(tree, up, stay)
	if err != nil {
		return nil, err
	}
	sp := &space{first: first}
	if !Privileged() {
		return sp, nil
	}
	if sp.ns, err = os.Open(fmt.Sprintf("/proc/%d/ns/pid", first.pid)); err != nil {
		_ = first.Kill() // it may be over already
		return nil, err
	}
	return sp, nil
}

// forkInit is called with mu held, on the plain thread.
func (s *Spawner) forkInit(tree string, up, stay *os.File) (_ *Process, err error) {
	if s.closed {
		return nil, ErrSpawnerClosed
	}
	if err := s.openNull(); err != nil {
		return nil, err
	}
	if s.home == nil {
		if s.home, err = os.Open("/proc/self/ns/pid"); err != nil {
			return nil, err
		}
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
		Env:   []string{TreeVar + "=" + tree}, // so that it is known as ours to whoever looks for what we left
		Files: []uintptr{null, null, null, up.Fd(), stay.Fd()}, Sys: sys,
	})
	if err != nil {
		return nil, &namespaceError{err}
	}
	p := newProcess(pid, newHandle(pidfd))
	s.plain.users++
	s.register(s.plain, p, "")
	return p, nil
}

// inside runs f with the calling thread, one of ours, set to fork into a namespace. With mu held.
func (s *Spawner) inside(sp *space, f func() error) error {
	if s.stray != nil {
		return s.stray
	}
	if err := unix.Setns(int(sp.ns.Fd()), unix.CLONE_NEWPID); err != nil {
		return fmt.Errorf("cannot enter a new PID namespace: %w", err)
	}
	err := f()
	if back := unix.Setns(int(s.home.Fd()), unix.CLONE_NEWPID); back != nil {
		s.stray = fmt.Errorf("cannot return from a PID namespace: %w", back)
	}
	return err
}
