package proc

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Rights of Landlock, the kernel's way to let a thread give up parts of the file system.
const (
	readRights = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	// deviceRights are never granted: whoever may make a device node has the whole disk.
	deviceRights = unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK
	// fileRights are those that a rule for a single file may grant.
	fileRights = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE |
		unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
)

// Versions of Landlock that brought rights of ours, with the Linux that has them.
const (
	versionRefer    = 2 // 5.19
	versionTruncate = 3 // 6.2
	versionIoctlDev = 5 // 6.10
)

// landlockVersion is what this kernel has, at least 1.
func landlockVersion() (int, error) {
	n, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch errno {
	case 0:
		return int(n), nil
	case unix.ENOSYS:
		return 0, errors.New("this kernel has no Landlock; Linux 5.13 is the first that may")
	case unix.EOPNOTSUPP:
		return 0, errors.New("this kernel has Landlock turned off: add landlock to its boot parameter lsm=")
	}
	return 0, fmt.Errorf("this kernel refuses Landlock: %w", errno)
}

func allowListSupport() error {
	_, err := landlockVersion()
	return err
}

// writeRights are all ways to change something that this kernel can refuse.
func writeRights() uint64 {
	version, _ := landlockVersion() // 0 where allowListSupport says why
	rights := uint64(unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR |
		unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_SYM | deviceRights)
	for _, later := range []struct {
		since int
		right uint64
	}{
		{versionRefer, unix.LANDLOCK_ACCESS_FS_REFER},
		{versionTruncate, unix.LANDLOCK_ACCESS_FS_TRUNCATE},
		{versionIoctlDev, unix.LANDLOCK_ACCESS_FS_IOCTL_DEV},
	} {
		if version >= later.since {
			rights |= later.right
		}
	}
	return rights
}

// Gap says what this kernel cannot refuse a process with these limits although they ask for
// it; empty if nothing.
func (l Limits) Gap() string {
	if !l.confinesFiles() || writeRights()&unix.LANDLOCK_ACCESS_FS_TRUNCATE != 0 {
		return ""
	}
	return "allow_read, allow_write: this kernel cannot keep a worker from truncating files elsewhere; Linux 6.2 can"
}

// enforce puts the calling thread, and all it will start, under the list. It cannot be taken back.
func (l *allowList) enforce() error {
	// The kernel knows the structure by its size: its first field is all we use, and all old kernels have.
	attr := unix.LandlockRulesetAttr{Handled_access_fs: l.handled}
	ruleset, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET,
		uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr.Handled_access_fs), 0)
	if errno != 0 {
		return fmt.Errorf("cannot make an allow list: %w", errno)
	}
	defer func() { _ = unix.Close(int(ruleset)) }() // nothing was written to it
	for _, r := range l.rules {
		if err := r.addTo(ruleset); err != nil {
			return fmt.Errorf("cannot allow %s: %w", r.path, err)
		}
	}
	_, _, errno = unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0, 0)
	if errno == unix.E2BIG {
		return fmt.Errorf("brood itself runs under as many allow lists as the kernel permits: %w", errno)
	}
	if errno != 0 {
		return fmt.Errorf("cannot put a thread under an allow list: %w", errno)
	}
	return nil
}

func (r rule) addTo(ruleset uintptr) error {
	fd, err := unix.Open(r.path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }() // opened to be named
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Dev != r.dev || st.Ino != r.ino {
		return errors.New("it was replaced at this moment")
	}
	attr := unix.LandlockPathBeneathAttr{Allowed_access: r.rights, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, ruleset, unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&attr)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
