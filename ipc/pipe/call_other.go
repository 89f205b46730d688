//go:build !linux

package pipe

import "syscall"

// Read is read(2) on a descriptor that does not block. At the end of the stream it returns 0.
func Read(fd uintptr, b []byte) (int, error) {
	return again(func() (int, error) { return syscall.Read(int(fd), b) })
}

// Write is write(2) on a descriptor that does not block. It may write a part.
func Write(fd uintptr, b []byte) (int, error) {
	return again(func() (int, error) { return syscall.Write(int(fd), b) })
}

// WakeMonitor does nothing: the calls above are no raw ones.
func WakeMonitor() {}

func again(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}
