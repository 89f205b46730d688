//go:build unix && !linux

package proc

import (
	"errors"
	"fmt"
	"os"
)

// Hold is refused: this system starts programs by their paths alone.
func Hold(path string) (*os.File, error) {
	return nil, fmt.Errorf("cannot keep %s open: %w", path, errors.ErrUnsupported)
}

func heldPath(fd uintptr) string { return fmt.Sprintf("/dev/fd/%d", fd) }
