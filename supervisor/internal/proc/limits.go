package proc

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Limits are what a process may do. The zero value limits nothing.
type Limits struct {
	// Rlimits by name, soft and hard alike: nofile, core, cpu (seconds), as
	// (bytes), nproc, fsize (bytes).
	Rlimits map[string]uint64
	// Nice is added to the supervisor's own niceness.
	Nice int
	// OOMScoreAdj is how readily the kernel kills the process when memory runs out.
	// 0 leaves the supervisor's own.
	OOMScoreAdj int
	// User and Group by name or number. A user brings its supplementary groups.
	User, Group string
	// NoNewPrivs makes setuid programs ordinary ones.
	NoNewPrivs bool
	// AllowRead and AllowWrite are files and directories. With AllowRead nothing can be
	// read or executed but beneath both; with either, nothing can be changed but
	// beneath AllowWrite. They imply NoNewPrivs.
	AllowRead, AllowWrite []string
	// NoNetwork gives the process a network of its own that leads nowhere.
	NoNetwork bool
}

// Validate says what is wrong with the limits on this system, or nil.
func (l Limits) Validate() error {
	for name := range l.Rlimits {
		if _, ok := rlimit(name); !ok {
			return fmt.Errorf("there is no rlimit %q here, use one of: %s", name, rlimitNames())
		}
	}
	if l.Nice < -20 || l.Nice > 19 {
		return fmt.Errorf("nice %d is outside -20 to 19", l.Nice)
	}
	if l.OOMScoreAdj < -1000 || l.OOMScoreAdj > 1000 {
		return fmt.Errorf("oom_score_adj %d is outside -1000 to 1000", l.OOMScoreAdj)
	}
	if l.NoNewPrivs && errNoNewPrivs != nil {
		return errNoNewPrivs
	}
	if err := l.validateConfinement(); err != nil {
		return err
	}
	_, err := l.credential()
	return err
}

func rlimitNames() string {
	known := slices.Sorted(maps.Keys(rlimits()))
	if len(known) == 0 {
		return "none, this system has no way to set them on another process"
	}
	return strings.Join(known, ", ")
}

func rlimit(name string) (int, bool) {
	n, ok := rlimits()[name]
	return n, ok
}
