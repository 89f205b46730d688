package pipe

import (
	"syscall"
	"unsafe"
)

// Read is read(2) on a descriptor that does not block. At the end of the stream it returns 0.
func Read(fd uintptr, b []byte) (int, error) { return now(syscall.SYS_READ, fd, b) }

// Write is write(2) on a descriptor that does not block. It may write a part.
func Write(fd uintptr, b []byte) (int, error) { return now(syscall.SYS_WRITE, fd, b) }

// WakeMonitor wakes the thread of Go's runtime that sees to it that every goroutine gets to run.
// It sleeps when all of them do, and raw calls do not wake it: whoever goes on to fill all
// processors would keep them for himself. Any call that the scheduler is told of will do.
func WakeMonitor() { _, _, _ = syscall.Syscall(syscall.SYS_GETPID, 0, 0, 0) }

// now does a system call that does not wait.
func now(trap, fd uintptr, b []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}
