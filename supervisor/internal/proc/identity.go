package proc

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Identity tells files, and states of one file, apart. Who writes to a file or puts another
// in its place changes it; so does who merely links, moves or chmods it.
type Identity struct {
	Device, Inode     uint64
	Size              int64 // bytes
	Modified, Changed time.Time
}

// Identify looks at the file that a path leads to.
func Identify(path string) (Identity, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return Identity{}, fmt.Errorf("cannot look at %s: %w", path, err)
	}
	return Identity{
		Device: uint64(st.Dev), Inode: st.Ino, Size: st.Size,
		Modified: time.Unix(st.Mtim.Unix()), Changed: time.Unix(st.Ctim.Unix()),
	}, nil
}
