package supervisor_test

import (
	"fmt"
	"testing"

	"github.com/brood-run/brood/supervisor"
)

// Collect keeps the order of submission also when tasks go to different pools.
func TestCollectAcrossPools(t *testing.T) {
	s := start(t, supervisor.Config{Pools: []supervisor.PoolConfig{
		{Plugin: plugin("echo"), Tasks: []string{"echo"}, Workers: 1},
		{Plugin: plugin("faulty"), Tasks: []string{"ok"}, Workers: 1},
	}})
	const n = 100
	for i := range n {
		submit(t, s, []string{"echo", "ok"}[i/3%2], fmt.Sprint(i))
	}
	results, err := s.Collect(t.Context())
	if err != nil || len(results) != n {
		t.Fatalf("%d results, %v", len(results), err)
	}
	for i, r := range results {
		if string(r.Task.Payload) != fmt.Sprint(i) {
			t.Fatalf("result %d is of task %s", i, r.Task.Payload)
		}
	}
}
