package chaos

import (
	"bytes"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/brood-run/brood/ipc"
)

// Supported says whether this system has what the command needs.
func Supported() error { return nil }

// send signals a worker and nobody else. The descriptor names one process for ever. That
// this is the worker, and not somebody who was given its number, is told by its
// environment: it carries the mark of this run and the worker's name. Without a name, any
// process of this run will do.
func send(w *inmate, mark string, sig syscall.Signal) error {
	fd, err := unix.PidfdOpen(w.pid, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }() // nothing was written to it
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", w.pid))
	if err != nil {
		return err
	}
	vars := bytes.Split(env, []byte{0})
	if !holds(vars, ipc.EnvTree+"="+mark) || w.name != "" && !holds(vars, ipc.EnvWorker+"="+w.name) {
		return fmt.Errorf("process %d is not worker %q of this run", w.pid, w.name)
	}
	return unix.PidfdSendSignal(fd, sig, nil, 0)
}

// awaitEnd waits until a process has ended or the time is over, and says whether it has.
func awaitEnd(pid, millis int) bool {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err == unix.ESRCH
	}
	defer func() { _ = unix.Close(fd) }() // nothing was written to it
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, millis)
		if err != unix.EINTR {
			return n > 0
		}
	}
}
