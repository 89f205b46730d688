package supervisor_test

import (
	"os"
	"testing"

	"github.com/brood-run/brood/supervisor"
)

// Workers that do one task and take long to leave do not add up to more and more processes.
func TestSlowLeaversAreBounded(t *testing.T) {
	s := ready(t, probe(supervisor.PoolConfig{Workers: 2, MaxTasksPerChild: 1, Env: []string{"PROBE_STOP=100ms"}}))
	most := 0
	for range 20 {
		completed(t, run(t, s, "log", ""))
		most = max(most, len(children(t, os.Getpid())))
	}
	// Two that work, one in reserve, and as many that leave.
	if most > 6 {
		t.Errorf("%d processes for 2 workers", most)
	}
}
