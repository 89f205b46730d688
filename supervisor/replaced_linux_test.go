package supervisor_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
)

// The binary is exchanged while the pool runs, for the same one again and again, and once for one
// that cannot be run: no task is lost, and none is charged an attempt.
func TestReplacedBinaryLosesNoTask(t *testing.T) {
	const n = 300
	path := filepath.Join(t.TempDir(), "faulty")
	good, err := os.ReadFile(plugin("faulty"))
	if err != nil {
		t.Fatal(err)
	}
	put := func(binary []byte) { // as an installer does it
		t.Helper()
		if err := os.WriteFile(path+".new", binary, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	put(good)
	cfg := faulty(supervisor.PoolConfig{Workers: 2, MaxTasksPerChild: 3})
	cfg.Pools[0].Plugin = path
	s := ready(t, cfg)
	events := s.Events(10_000)
	done := 0
	for r := range s.Map(t.Context(), count(n, "ok"), supervisor.MapOptions{Limit: 20}) {
		if completed(t, r).Started != 1 {
			t.Errorf("got %+v", r)
		}
		switch done++; {
		case done == n/2:
			put([]byte("no program"))
			await(t, events, func(event.PoolDegraded) bool { return true })
			put(good)
		case done%50 == 0:
			put(good)
		}
	}
	if done != n {
		t.Errorf("%d results of %d", done, n)
	}
	await(t, events, func(event.PoolRecovered) bool { return true })
}
