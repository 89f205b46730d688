package cli

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

func TestSummary(t *testing.T) {
	tl := newTally()
	for i := range 30 {
		tl.add(&task.Result{
			Task: task.Task{ID: fmt.Sprintf("bad%d", i)}, Status: task.Dead, Started: 2, Run: time.Second,
			Err:      &task.Error{Kind: task.KindCrashed, Message: "signal SIGSEGV\nand a stack"},
			Attempts: []task.Attempt{{Outcome: task.OutcomeCrashed}, {Outcome: task.OutcomeCrashed}},
		})
	}
	for range 70 {
		tl.add(&task.Result{Status: task.Completed, Started: 1, Run: 10 * time.Millisecond})
	}
	tl.add(&task.Result{Task: task.Task{ID: "gone"}, Status: task.Cancelled})
	var b strings.Builder
	tl.summary(&b, 5, supervisor.Snapshot{Pools: []supervisor.PoolSnapshot{{
		Restarts: map[string]uint64{"signal": 60, "ttl": 1}, PeakRSS: 300 << 20,
	}}})
	for _, want := range []string{
		"101 tasks in ", ": 70 completed, 30 dead, 1 cancelled\n",
		"skipped    5 tasks", "went wrong: 60 crashed", "p50 10ms, p95 1s, p99 1s",
		"restarts: 60 signal, 1 ttl; peak memory 300 MiB",
		"  bad0: crashed: signal SIGSEGV ... (2 attempts)\n", "  bad19: ", "  and 10 more\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the summary lacks %q:\n%s", want, b.String())
		}
	}
	for _, unwanted := range []string{"bad20", "gone"} {
		if strings.Contains(b.String(), unwanted) {
			t.Errorf("the summary has %q", unwanted)
		}
	}
	if tl.failed() != 31 {
		t.Errorf("%d failed", tl.failed())
	}
}

func TestRound(t *testing.T) {
	for in, want := range map[time.Duration]string{
		999: "999ns", 1234567: "1.23ms", 12345678901: "12.3s", 0: "0s",
	} {
		if got := round(in).String(); got != want {
			t.Errorf("%d: %s, want %s", in, got, want)
		}
	}
}
