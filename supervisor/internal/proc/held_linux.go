package proc

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Hold opens a program so that it can be started, as Command.Image, when its path leads to
// another one or nowhere. It need not be readable.
func Hold(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot keep %s open: %w", path, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

func heldPath(fd uintptr) string { return fmt.Sprintf("/proc/self/fd/%d", fd) }
