package event

import (
	"strings"
	"testing"
	"time"
)

// all is one of each, with every field set.
func all(at time.Time) []Event {
	return []Event{
		TaskQueued{at, "pool", "id", "name"},
		TaskStarted{at, "pool", "id", "name", "worker", 7, 2},
		TaskAttemptFailed{at, "pool", "id", "name", "worker", 7, 2, "crashed", "killed by SIGSEGV"},
		TaskRetrying{at, "pool", "id", "name", 2, time.Second},
		TaskRecalled{at, "pool", "id", "name", "worker"},
		TaskProgress{Time: at, Pool: "pool", Task: "id", Name: "name", Worker: "worker", Fraction: 0.5, Message: "half"},
		TaskFinished{at, "pool", "id", "name", "dead", "why", 3, time.Second, time.Second},
		WorkerStarting{at, "pool", "worker", 7},
		WorkerReady{at, "pool", "worker", 7, time.Millisecond},
		WorkerDraining{at, "pool", "worker", 7, "ttl"},
		WorkerStopping{at, "pool", "worker", 7, "ttl"},
		WorkerExited{at, "pool", "worker", 7, "ttl", "exit code 0"},
		PluginChanged{at, "pool", "/a/plugin", File{Inode: 1}, File{Inode: 2}, true},
		PoolDegraded{at, "pool", "why"},
		PoolRecovered{at, "pool"},
	}
}

func TestEvents(t *testing.T) {
	at := time.Unix(100, 0)
	kinds := map[string]bool{}
	for _, e := range all(at) {
		if !e.When().Equal(at) {
			t.Errorf("%s: happened at %v", e.Kind(), e.When())
		}
		if kinds[e.Kind()] {
			t.Errorf("two events are a %s", e.Kind())
		}
		kinds[e.Kind()] = true
		noun, _, _ := strings.Cut(e.Kind(), "_")
		if !strings.HasPrefix(e.String(), noun+" ") || strings.Contains(e.String(), "%!") {
			t.Errorf("%s reads %q", e.Kind(), e)
		}
	}
	if got := all(at)[2].String(); got != "task id (name), attempt 2 on worker (pid 7): crashed: killed by SIGSEGV" {
		t.Errorf("got %q", got)
	}
}
