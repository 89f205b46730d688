package proc

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// allowList is what a process and all that it starts may touch of the file system.
type allowList struct {
	handled uint64 // the rights that are refused wherever no rule grants them
	rules   []rule
}

// rule grants rights to a file, or beneath a directory.
type rule struct {
	path     string
	dev, ino uint64 // the path may lead to another file tomorrow, which the rule does not cover
	rights   uint64
}

// String names the list: equal names mean equal lists of equal files.
func (l *allowList) String() string {
	if l == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%x\n", l.handled)
	for _, r := range l.rules {
		fmt.Fprintf(&b, "%q %d:%d %x\n", r.path, r.dev, r.ino, r.rights)
	}
	return b.String()
}

// add appends a rule, without what makes no sense for a file that is no directory.
func (l *allowList) add(path string, rights uint64) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= fileRights
	}
	if rights &= l.handled; rights != 0 {
		l.rules = append(l.rules, rule{path: path, dev: st.Dev, ino: st.Ino, rights: rights})
	}
	return nil
}

// addAll appends a rule for each path of a field.
func (l *allowList) addAll(field string, paths []string, rights uint64) error {
	for i, path := range paths {
		if err := l.add(path, rights); err != nil {
			return fmt.Errorf("%s[%d]: %s: %w", field, i, path, err)
		}
	}
	return nil
}

// allowed is the list that the two fields give.
func (l Limits) allowed() (*allowList, error) {
	list := &allowList{handled: writeRights()}
	if len(l.AllowRead) > 0 {
		list.handled |= readRights
	}
	if err := list.addAll("allow_read", l.AllowRead, readRights); err != nil {
		return nil, err
	}
	if err := list.addAll("allow_write", l.AllowWrite, readRights|list.handled&^deviceRights); err != nil {
		return nil, err
	}
	return list, nil
}

// devices harm nobody, and few programs do without them.
func devices() []string { return []string{"/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"} }

// allowList is what this command may touch, nil for all: besides what the fields name,
// what it takes to start it at all.
func (c *Command) allowList() (*allowList, error) {
	if !c.Limits.confinesFiles() {
		return nil, nil
	}
	list, err := c.Limits.allowed()
	if err != nil {
		return nil, err
	}
	for _, path := range append([]string{c.program()}, loaders(c.program())...) {
		// One that is not there is explained by who tries to start it.
		_ = list.add(path, readRights)
	}
	for _, path := range devices() {
		_ = list.add(path, readRights|list.handled&^deviceRights) // not every container has them all
	}
	if c.mapsUsers() {
		// Our own thread has to write the new process's maps of users, under its own list.
		// A stranger's files there are guarded by the kernel's rules for tracing.
		err = list.add("/proc", unix.LANDLOCK_ACCESS_FS_READ_FILE|unix.LANDLOCK_ACCESS_FS_WRITE_FILE)
	}
	return list, err
}
