package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// self is the supervisor's own cgroup in its Parent's directory, if it must not stay outside.
const self = "self"

// branch is a Parent's directory in one hierarchy.
type branch struct {
	hierarchy
	dir     string
	lock    *os.File // the directory, locked
	enabled []string // v2: controllers our cgroups have
	way     *os.File // v1: the tasks file of home, the way back for a thread
}

// newBranch makes the directory and finds out whether processes can be put below it.
func newBranch(h hierarchy, name string) (*branch, error) {
	b := &branch{hierarchy: h, dir: filepath.Join(h.home, name)}
	if err := b.occupy(); err != nil {
		return nil, err
	}
	settle := b.settleV1
	if h.v2 {
		settle = b.settleV2
	}
	if err := settle(); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// occupy makes the directory and locks it. Between the two another supervisor may take it for
// stale: then it holds the lock, or has removed the directory.
func (b *branch) occupy() error {
	if err := os.Mkdir(b.dir, 0o755); err != nil {
		return err
	}
	lock, err := lockDir(b.dir)
	if err != nil {
		_ = syscall.Rmdir(b.dir) // whoever has the lock does the same
		return err
	}
	b.lock = lock
	return nil
}

// lockDir takes the lock of a directory if nobody has it and it is still there.
func lockDir(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		var there os.FileInfo
		if there, err = os.Stat(dir); err == nil {
			if mine, e := f.Stat(); e != nil || !os.SameFile(there, mine) {
				err = os.ErrNotExist
			}
		}
	}
	if err != nil {
		_ = f.Close() // nothing was written to it
		return nil, fmt.Errorf("cannot lock %s: %w", dir, err)
	}
	return f, nil
}

// settleV1 tries whether a thread can go in, and out again.
func (b *branch) settleV1() (err error) {
	if b.way, err = os.OpenFile(filepath.Join(b.home, "tasks"), os.O_WRONLY, 0); err != nil {
		return err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := write(b.dir, "tasks", "0"); err != nil {
		return err
	}
	return b.leave()
}

// leave moves the calling thread to where it came from.
func (b *branch) leave() error {
	_, err := ignoringEINTR(func() (int, error) { return syscall.Write(int(b.way.Fd()), []byte("0")) })
	if err != nil {
		return fmt.Errorf("cannot go back to %s: %w", b.home, err)
	}
	return nil
}

// errShared explains the rule of v2 that a cgroup has either processes or limited children.
var errShared = errors.New("other processes share the supervisor's cgroup, and limits below it need it to be free of them: " +
	"start brood in a unit or scope of its own, for example with systemd-run --scope -p Delegate=yes")

// settleV2 enables the controllers that limits need.
func (b *branch) settleV2() error {
	if !exists(b.dir, "cgroup.kill") {
		return errors.New("this kernel cannot kill a cgroup: Linux 5.14 or later is needed")
	}
	// Asked for nothing, the call complains, unless a filter keeps it from us.
	if _, _, err := unix.RawSyscall(unix.SYS_CLONE3, 0, 0, 0); err != unix.EINVAL {
		return fmt.Errorf("processes cannot be born in a cgroup: clone3 is not allowed here: %w", err)
	}
	for _, c := range words(b.home, "cgroup.controllers") {
		if c == memory || c == pids || c == cpu {
			b.enabled = append(b.enabled, c)
		}
	}
	if len(b.enabled) == 0 {
		return nil // they are in v1 hierarchies, or not ours to use
	}
	on := words(b.home, "cgroup.subtree_control")
	if slices.ContainsFunc(b.enabled, func(c string) bool { return !slices.Contains(on, c) }) {
		if err := b.clearHome(); err != nil {
			return err
		}
		if err := write(b.home, "cgroup.subtree_control", b.switches("+")); err != nil {
			return err
		}
	}
	return write(b.dir, "cgroup.subtree_control", b.switches("+"))
}

// clearHome moves this process out of its cgroup, unless that is the root, which may have
// processes. Nobody else is moved.
func (b *branch) clearHome() error {
	if !exists(b.home, "cgroup.events") {
		return nil
	}
	for _, pid := range words(b.home, "cgroup.procs") {
		if pid != fmt.Sprint(os.Getpid()) {
			return errShared
		}
	}
	own := filepath.Join(b.dir, self)
	if err := os.Mkdir(own, 0o755); err != nil {
		return err
	}
	return write(own, "cgroup.procs", "0")
}

// switches turns all controllers on or off.
func (b *branch) switches(sign string) string { return sign + strings.Join(b.enabled, " "+sign) }

// keeps says whether cgroups of this branch have a controller.
func (b *branch) keeps(controller string) bool {
	return b.has(controller) || slices.Contains(b.enabled, controller)
}

// close removes what newBranch made, and cgroups that could not be removed before.
func (b *branch) close() {
	clean(b.dir)
	if len(b.enabled) > 0 {
		_ = write(b.dir, "cgroup.subtree_control", b.switches("-")) // it has no other use
	}
	_ = remove(b.dir) // else later, by whoever is the last to leave
	if b.way != nil {
		_ = b.way.Close() // it was written to at once
	}
	_ = b.lock.Close() // nothing was written to it
	if len(b.enabled) > 0 && exists(b.home, "cgroup.events") {
		b.goBack()
	}
}

// goBack undoes clearHome, whichever Parent of this process had done it. The kernel refuses while
// another still needs the controllers; then that one does it when it closes.
func (b *branch) goBack() {
	b.sweep() // a dead one needs nothing
	if write(b.home, "cgroup.subtree_control", b.switches("-")) != nil {
		return
	}
	if write(b.home, "cgroup.procs", fmt.Sprint(os.Getpid())) == nil {
		b.sweep() // where we were
	}
}
