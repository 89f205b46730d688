package supervisor

import (
	"fmt"
	"slices"
)

// Isolation is a level of isolation: what is done so that nothing of a worker outlives it.
type Isolation string

// Levels, from the weakest to the strongest.
const (
	// IsolationGroup: a process group, killed as a whole. With Config.ReapOrphans, descendants that
	// left the group are found and killed too. Works everywhere and changes nothing
	// that a task can see.
	IsolationGroup Isolation = "group"
	// IsolationCgroup: a cgroup for each worker, killed as a whole by the kernel, which also
	// keeps the limits of memory, processors and processes. Needs a writable cgroup.
	IsolationCgroup Isolation = "cgroup"
	// IsolationPIDNS: a PID namespace for each worker. The kernel kills whatever is in it when the
	// worker ends or the supervisor dies. Tasks see other process ids than the rest of the
	// machine. Needs root or user namespaces.
	IsolationPIDNS Isolation = "pidns"
	// IsolationAuto is the strongest of them that this machine permits.
	IsolationAuto Isolation = "auto"
)

func (i Isolation) validate() error {
	known := []Isolation{IsolationAuto, IsolationGroup, IsolationCgroup, IsolationPIDNS}
	if !slices.Contains(known, i) {
		return fmt.Errorf("isolation: %q is none of auto, group, cgroup, pidns", string(i))
	}
	return nil
}
