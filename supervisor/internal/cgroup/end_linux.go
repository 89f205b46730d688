package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// endLimit bounds the end of a cgroup: who is stuck in the kernel dies when it lets go
	// of him, and his cgroup is removed by a later try.
	endLimit = 5 * time.Second
	// The kernel needs a moment to take the killed apart, longer the more memory they had.
	firstWait, longestWait = 100 * time.Microsecond, 10 * time.Millisecond
)

// end kills everything in a cgroup and removes it. It returns the processes that it found.
func end(dir string) (found []int, err error) {
	if remove(dir) == nil {
		return nil, nil // nobody is left, as nearly always
	}
	found = members(dir)
	deadline := time.Now().Add(endLimit)
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		failed := kill(dir)
		if err = remove(dir); err == nil {
			return found, nil
		}
		if !time.Now().Before(deadline) {
			return found, fmt.Errorf("cgroup %s could not be emptied within %v: %w", dir, endLimit, errors.Join(failed, err))
		}
		time.Sleep(wait)
	}
}

// remove removes a cgroup without processes, and what a worker has made below it.
func remove(dir string) error {
	err := syscall.Rmdir(dir)
	if err == nil || err == syscall.ENOENT {
		return nil
	}
	nested := below(dir)
	for _, d := range nested {
		if e := remove(d); e != nil {
			return e
		}
	}
	if len(nested) > 0 {
		err = syscall.Rmdir(dir)
	}
	if err != nil {
		return &os.PathError{Op: "remove", Path: dir, Err: err}
	}
	return nil
}

// kill kills everything in a cgroup at once, or what it can catch where the kernel cannot
// do that.
func kill(dir string) error {
	err := write(dir, "cgroup.kill", "1")
	if err == nil || !exists(dir, "cgroup.procs") {
		return nil // also if the cgroup is gone
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return hunt(dir)
}

// hunt kills the processes of a v1 cgroup one by one. Meanwhile they are kept from running or,
// failing that, from having children: a fork bomb would be faster than we are.
func hunt(dir string) error {
	for _, d := range append(below(dir), dir) {
		_ = write(d, "pids.max", "0") // not there in most hierarchies
	}
	if write(dir, "freezer.state", "FROZEN") == nil {
		defer func() { _ = write(dir, "freezer.state", "THAWED") }() // they die when they go on
	}
	var failed error
	for _, pid := range members(dir) {
		if pid == os.Getpid() {
			continue // a thread of ours was held up on its way out
		}
		if err := killMember(dir, pid); err != nil {
			failed = fmt.Errorf("cannot kill process %d: %w", pid, err)
		}
	}
	return failed
}

// killMember kills a process if it is in a cgroup. The descriptor comes before the look: should
// the number go to another process meanwhile, the descriptor stays true to the first.
func killMember(dir string, pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err == unix.ENOSYS {
		if !holds(dir, pid) {
			return nil
		}
		err = unix.Kill(pid, unix.SIGKILL)
	} else if err == nil {
		defer func() { _ = unix.Close(fd) }() // nothing was written to it
		if !holds(dir, pid) {
			return nil
		}
		err = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	}
	if err == unix.ESRCH {
		return nil
	}
	return err
}

// holds says whether a process is in a cgroup, a worker's, or in one below it. The path that the
// kernel gives starts somewhere else in each container; its end names the cgroup for ever,
// also that of a zombie (v2), and of a cgroup that was removed.
func holds(dir string, pid int) bool {
	tail := "/" + filepath.Base(filepath.Dir(dir)) + "/" + filepath.Base(dir)
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		_, rest, ok := strings.Cut(strings.TrimSpace(line), tail)
		if ok && (rest == "" || rest[0] == '/' || rest[0] == ' ') {
			return true
		}
	}
	return false
}
