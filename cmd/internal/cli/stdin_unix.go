//go:build unix

package cli

import (
	"os"

	"golang.org/x/sys/unix"
)

// wasClosed says whether a standard stream was closed when the program started.
// The Go runtime opens /dev/null in its place, for reading and writing, which
// nobody who means /dev/null as input does.
func wasClosed(f *os.File) bool {
	null, err := os.Stat(os.DevNull)
	if err != nil {
		return false
	}
	info, err := f.Stat()
	if err != nil || !os.SameFile(null, info) {
		return false
	}
	mode, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	return err == nil && mode&unix.O_ACCMODE == unix.O_RDWR
}
