package cgroup

import (
	"crypto/rand"
	"path/filepath"
	"regexp"
	"strings"
)

// newName names a Parent's directory. It is long so that nobody calls anything else so: what
// has such a name and is not locked is removed.
func newName() string { return "brood-" + strings.ToLower(rand.Text()) }

// isParent says whether a directory is a Parent's.
func isParent(dir string) bool {
	ours, _ := regexp.MatchString(`^brood-[a-z2-7]{26}$`, filepath.Base(dir)) // the pattern is valid
	return ours
}

// sweep removes the directories of supervisors that were killed, with whoever still lives in
// them. It looks in our own cgroup and those beside it: after each start in a scope or
// container of its own a supervisor's cgroup has another name.
func (h *hierarchy) sweep() {
	for _, pattern := range []string{
		filepath.Join(h.home, "brood-*"),
		filepath.Join(filepath.Dir(h.home), "*", "brood-*"),
	} {
		stale, _ := filepath.Glob(pattern) // the pattern is well formed
		for _, dir := range stale {
			if isParent(dir) && exists(dir, "cgroup.procs") {
				sweepStale(dir)
			}
		}
	}
}

// sweepStale removes a directory unless its supervisor lives.
func sweepStale(dir string) {
	lock, err := lockDir(dir)
	if err != nil {
		return // not ours to touch, in either sense
	}
	defer func() { _ = lock.Close() }() // nothing was written to it
	clean(dir)
	_ = remove(dir) // if it cannot be now, then at a later start
}

// clean ends all workers' cgroups in a Parent's directory. Where the supervisor itself was,
// others may be too that it had started and that are none of our business.
func clean(dir string) {
	for _, d := range below(dir) {
		if filepath.Base(d) != self {
			_, _ = end(d) // if it cannot be now, then at a later start
		}
	}
}
