package proc

import (
	"crypto/rand"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// sweepLimit bounds a sweep: somebody stuck in the kernel dies when it lets go
	// of him, and is reaped by a later sweep.
	sweepLimit = 5 * time.Second
	// strayAge is how long a zombie that nobody can name must have been seen before it
	// is taken for an orphan's. Its environment went with its memory; an owner in this
	// program would have waited for it long ago.
	strayAge = 2 * time.Second
)

// adopted is a Reaper's memory. mu also makes sweeps wait for one another.
type adopted struct {
	before int // whether orphans were adopted before us
	mu     sync.Mutex
	doomed map[birth]bool      // orphans we killed and could not reap yet
	strays map[birth]time.Time // zombies of unknown origin, and when we first saw them
	groups map[int]bool        // groups killed in this sweep
}

// EnableReaper makes this process adopt the orphans of all its descendants, until
// Close. The kernel has one such switch for a process: one Reaper at a time. Processes of the given spawners are never taken for orphans.
func EnableReaper(spawners ...*Spawner) (*Reaper, error) {
	var before int
	if err := unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&before)), 0, 0, 0); err != nil {
		return nil, fmt.Errorf("cannot tell whether orphans are adopted: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("cannot adopt orphans: %w", err)
	}
	prefix := rand.Text()[:12] + "."
	if above := os.Getenv(TreeVar); above != "" {
		prefix = above + "/" + prefix
	}
	for _, s := range spawners {
		s.remember()
	}
	return &Reaper{
		prefix:  prefix,
		books:   spawners,
		adopted: &adopted{before: before, doomed: map[birth]bool{}, strays: map[birth]time.Time{}},
	}, nil
}

// Close sweeps for the last time and sets the process back to what it was: later orphans
// belong to whoever adopted them before.
func (r *Reaper) Close() error {
	if r == nil {
		return nil
	}
	r.SweepAll()
	if r.hasStrays() {
		// Nobody sweeps after us, and what a killed tree left may be young.
		time.Sleep(strayAge)
		r.SweepAll()
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, uintptr(r.before), 0, 0, 0); err != nil {
		return fmt.Errorf("cannot stop adopting orphans: %w", err)
	}
	return nil
}

// hasStrays says that the last sweep left zombies that it could not name.
func (a *adopted) hasStrays() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.strays) > 0
}

// sweep kills and reaps in rounds, because the children of an orphan become ours
// when it dies.
func (r *Reaper) sweep(ours func(tree string) bool, held func(pid int) bool) (killed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.groups = map[int]bool{}
	deadline := time.Now().Add(sweepLimit)
	for round := 1; time.Now().Before(deadline); round++ {
		dying, n := r.killOrphans(ours, held)
		if killed += n; n > 0 && round > patientRounds {
			killed += freeze(ours, r.alive(), deadline)
		}
		if len(dying) == 0 {
			for _, s := range r.books {
				s.forget(ours)
			}
			break
		}
		for _, c := range dying {
			if !c.bury(deadline) {
				r.doomed[c.birth] = true
			}
		}
	}
	return killed
}

// killOrphans kills the children that a sweep has to end and returns those that
// are to be reaped.
func (r *Reaper) killOrphans(ours func(tree string) bool, held func(pid int) bool) (dying []child, killed int) {
	found := children("/proc", os.Getpid(), r.alive())
	// No fork and no change of the books from here on: a child that they do not
	// name now was not started by us, and no number changes hands.
	books, release := r.hold()
	defer release()
	doomed, strays := map[birth]bool{}, map[birth]time.Time{}
	for _, c := range found {
		switch {
		case books.live[c.pid] || !isChild(c.pid):
		case r.doomed[c.birth]:
			// An earlier round has waited for it long enough.
			if !c.bury(time.Time{}) {
				doomed[c.birth] = true
			}
		case r.groups[c.pgrp] && !books.live[c.pgrp], c.belongs(books, ours, held):
			// What dies with its group comes to us without an environment.
			r.groups[c.pgrp] = c.pgrp == c.pid || r.groups[c.pgrp]
			if c.kill() {
				killed++
			}
			dying = append(dying, c)
		case c.zombie && c.pgrp != syscall.Getpgrp():
			if r.isOld(c.birth, strays) {
				dying = append(dying, c)
			}
		}
	}
	r.doomed, r.strays = doomed, strays // without those that are gone
	return dying, killed
}

// isOld says that a stray zombie was first seen long ago, and keeps the time.
func (a *adopted) isOld(b birth, seen map[birth]time.Time) bool {
	first, ok := a.strays[b]
	if !ok {
		first = time.Now()
	}
	seen[b] = first
	return time.Since(first) >= strayAge
}
