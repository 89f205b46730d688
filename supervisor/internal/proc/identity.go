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
	return identity(&st), nil
}

func identity(st *unix.Stat_t) Identity {
	return Identity{
		Device: uint64(st.Dev), Inode: st.Ino, Size: st.Size,
		Modified: time.Unix(st.Mtim.Unix()), Changed: time.Unix(st.Ctim.Unix()),
	}
}

// SameContent says that it is the same file, and that nobody has written to it since: it may
// have been linked, moved or removed.
func (i Identity) SameContent(as Identity) bool {
	i.Changed, as.Changed = time.Time{}, time.Time{}
	return i == as
}
