package proc

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// IdentifyFile looks at a file that is open.
func IdentifyFile(f *os.File) (Identity, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return Identity{}, fmt.Errorf("cannot look at %s: %w", f.Name(), err)
	}
	return identity(&st), nil
}

// Duplicate returns another descriptor of a file.
func Duplicate(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot keep %s open: %w", f.Name(), err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// HeldPath leads to a held file, within this process.
func HeldPath(f *os.File) string { return heldPath(f.Fd()) }
