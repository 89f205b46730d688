package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

// Cgroup holds one worker and all its descendants.
type Cgroup struct {
	limits Limits
	parts  []part // the first is the one to kill through

	mu     sync.Mutex
	closed bool
	found  []int  // processes that Close had to end
	last   Events // as Close found them
}

// part is a Cgroup's directory in one hierarchy.
type part struct {
	*branch
	dir string
	// door is a descriptor of what a process is born inside through: for clone3 the directory, else
	// the file that moves a thread. Open from New to Leave, -1 otherwise: the thread that
	// enters may be one that is not allowed to open it.
	door int
}

// New makes a cgroup. The name must be unique in its Parent for ever. Close removes it.
func (p *Parent) New(name string, l Limits) (*Cgroup, error) {
	c := &Cgroup{limits: l}
	for i, b := range p.branches {
		if i > 0 && !b.needed(l) {
			continue // each hierarchy makes a start slower
		}
		c.parts = append(c.parts, part{b, filepath.Join(b.dir, name), -1})
	}
	for i := range c.parts {
		if err := c.parts[i].make(l); err != nil {
			c.parts = c.parts[:i+1]
			_, _ = c.Close() // nobody is in it
			return nil, fmt.Errorf("cannot make a cgroup: %w", err)
		}
	}
	return c, nil
}

// needed says whether the branch has anything to do for such limits. Memory is always
// measured.
func (b *branch) needed(l Limits) bool {
	return b.keeps(memory) || l.Pids > 0 && b.keeps(pids) || l.CPU > 0 && b.keeps(cpu)
}

func (t *part) make(l Limits) (err error) {
	if err := os.Mkdir(t.dir, 0o755); err != nil {
		return err
	}
	if t.v2 {
		t.door, err = openFile(t.dir, syscall.O_RDONLY|syscall.O_DIRECTORY)
		return errors.Join(err, t.limit(l))
	}
	// It is limited when the thread that forks has left, which must not run into the limits.
	t.door, err = openFile(filepath.Join(t.dir, "tasks"), syscall.O_WRONLY)
	return err
}

// shut closes the door.
func (t *part) shut() {
	if t.door >= 0 {
		_ = syscall.Close(t.door) // nothing was written to it, or all at once
		t.door = -1
	}
}

// Enter has what the calling thread forks born inside: through the descriptor, for
// clone3, if it is not negative, and by moving the thread. The thread must not be the
// process's first: that one stands for the memory of the whole process.
func (c *Cgroup) Enter() (fd int, err error) {
	fd = -1
	for _, t := range c.parts {
		if t.v2 {
			fd = t.door
			continue
		}
		_, err := ignoringEINTR(func() (int, error) { return syscall.Write(t.door, []byte("0")) })
		if err != nil {
			return -1, errors.Join(fmt.Errorf("cannot enter the cgroup %s: %w", t.dir, err), c.Leave())
		}
	}
	return fd, nil
}

// Leave undoes Enter.
func (c *Cgroup) Leave() error {
	var failed error
	for i := range c.parts {
		t := &c.parts[i]
		if !t.v2 {
			failed = errors.Join(failed, t.leave())
		}
		t.shut()
	}
	if failed != nil || c.limits == (Limits{}) {
		return failed
	}
	limited := make(chan error)
	go func() { limited <- c.limitV1() }() // not on this thread, which may not be allowed to
	return <-limited
}

// limitV1 sets the limits that make has left out.
func (c *Cgroup) limitV1() error {
	var failed error
	for _, t := range c.parts {
		if !t.v2 {
			failed = errors.Join(failed, t.limit(c.limits))
		}
	}
	return failed
}

// Kill ends everything inside. What is over already is no error.
func (c *Cgroup) Kill() error { return kill(c.parts[0].dir) }

// Close kills what is left inside, waits until it is gone and removes the cgroup. It says how
// many it had to kill. A second call does nothing.
func (c *Cgroup) Close() (left int, err error) {
	if !c.finish() {
		return 0, nil
	}
	var found []int
	for i := range c.parts {
		t := &c.parts[i]
		t.shut() // Leave has, unless nobody ever entered
		pids, e := end(t.dir)
		found = append(found, pids...)
		err = errors.Join(err, e)
	}
	slices.Sort(found)
	found = slices.Compact(found)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found = found
	return len(found), err
}

// finish keeps the last figures; false if they are kept already.
func (c *Cgroup) finish() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.closed, c.last = true, c.read()
	return true
}

// Held says whether a zombie was ended by Close. A zombie's own papers tell that under v2
// only; its number belongs to nobody else before it is reaped.
func (c *Cgroup) Held(pid int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, found := slices.BinarySearch(c.found, pid)
	return found || holds(c.parts[0].dir, pid)
}
