package proc

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Scratch is a directory in memory that is mounted nowhere: nobody else sees it, and it is gone
// with this process, however that ends.
type Scratch struct{ root *os.File }

// NewScratch makes one. Needs CAP_SYS_ADMIN and Linux 5.2.
func NewScratch() (*Scratch, error) {
	fs, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot open a file system in memory: %w", err)
	}
	defer func() { _ = unix.Close(fs) }() // it lives on in its mount
	if err := unix.FsconfigCreate(fs); err != nil {
		return nil, fmt.Errorf("cannot make a file system in memory: %w", err)
	}
	root, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot use a file system in memory: %w", err)
	}
	return &Scratch{os.NewFile(uintptr(root), "scratch")}, nil
}

// Path leads there, within this process. Empty for a nil Scratch.
func (s *Scratch) Path() string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf("/proc/self/fd/%d", s.root.Fd())
}

// Close gives it up.
func (s *Scratch) Close() {
	if s != nil {
		_ = s.root.Close() // what was in it was to be lost
	}
}
