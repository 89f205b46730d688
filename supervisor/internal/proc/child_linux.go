package proc

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// birth names one process for ever, its number alone does not.
type birth struct {
	pid   int
	start uint64
}

// child is a child of this process as /proc shows it.
type child struct {
	birth
	pgrp   int
	zombie bool // then its environment is gone
}

// belongs says whether a child comes from a tree that is being swept. A zombie in
// any group that was started by us is nobody else's either.
func (c child) belongs(books census, ours func(tree string) bool, held func(pid int) bool) bool {
	tree, ended := books.ended[c.pgrp]
	switch {
	case ended && (c.zombie || ours(tree)):
		return true
	case c.zombie:
		return books.live[c.pgrp] || held(c.pid)
	}
	tree = environTree(c.pid)
	return tree != "" && ours(tree)
}

// environTree reads the mark of a running process; empty if it has none or it is
// not ours to read.
func environTree(pid int) string {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil || !bytes.Contains(data, []byte(TreeVar+"=")) {
		return ""
	}
	return treeOf(strings.Split(string(data), "\x00"))
}

// kill ends an orphan, with its group if it leads one: a group is hit all at once,
// however fast it forks. It says whether there was anything left to kill.
func (c child) kill() bool {
	target := c.pid
	if c.pgrp == c.pid {
		target = -c.pid
	}
	return syscall.Kill(target, syscall.SIGKILL) == nil && !c.zombie
}

// bury reaps an orphan as soon as it is dead, or gives up at the deadline.
func (c child) bury(deadline time.Time) bool {
	for {
		var reaped int
		err := ignoringEINTR(func() (err error) {
			reaped, err = syscall.Wait4(c.pid, nil, syscall.WNOHANG, nil)
			return err
		})
		if err != nil || reaped == c.pid {
			return true
		}
		if !time.Now().Before(deadline) || !c.awaitDeath(deadline) {
			return false
		}
	}
}

// awaitDeath waits until an orphan may be reaped or the deadline has come.
func (c child) awaitDeath(deadline time.Time) bool {
	pidfd, err := unix.PidfdOpen(c.pid, 0)
	if err != nil {
		time.Sleep(time.Millisecond) // no descriptor to wait with
		return true
	}
	defer func() { _ = unix.Close(pidfd) }() // nothing was written to it
	poll := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	return ignoringEINTR(func() error {
		_, err := unix.Poll(poll, int(time.Until(deadline)/time.Millisecond)+1)
		return err
	}) == nil
}
