package worker

import "golang.org/x/sys/unix"

// widePipe is the largest pipe an ordinary user may have by default.
const widePipe = 1 << 20

func widenPipe(fd uintptr) {
	// The kernel may refuse; the pipe works all the same.
	_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, widePipe)
}
