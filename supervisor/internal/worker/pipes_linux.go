package worker

import (
	"errors"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// newPipe makes a pipe between us and a worker. Our end is known to the runtime's poller; the
// worker's is not, as it would be with os.Pipe: for the moment until it is passed on and
// closed that costs more than the pipe.
func newPipe(d direction) (ours, theirs *os.File, err error) {
	fds := make([]int, 2)
	if err := unix.Pipe2(fds, unix.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	if d == toWorker {
		slices.Reverse(fds)
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		return nil, nil, errors.Join(err, unix.Close(fds[0]), unix.Close(fds[1]))
	}
	return os.NewFile(uintptr(fds[0]), "|ours"), os.NewFile(uintptr(fds[1]), "|theirs"), nil
}

// widePipe is the largest pipe an ordinary user may have by default.
const widePipe = 1 << 20

func widenPipe(fd uintptr) {
	// The kernel may refuse; the pipe works all the same.
	_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, widePipe)
}
