package chaos

import (
	"strings"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/task"
)

func TestSpread(t *testing.T) {
	var times []time.Duration
	for n := 1000; n > 0; n-- {
		times = append(times, time.Duration(n)*time.Millisecond)
	}
	if got := spread(times); got != (Spread{Count: 1000, P50: 500, P99: 990, Max: 1000}) {
		t.Errorf("got %+v", got)
	}
	if got := spread(nil); got != (Spread{}) {
		t.Errorf("of nothing: %+v", got)
	}
}

func TestTextShowsWhatWasBroken(t *testing.T) {
	kept, broken := newPromise("kept one"), newPromise("broken one")
	for range mostEvidence + 2 {
		broken.breaks("t1 is lost", "a line about it")
	}
	kept.found("all well")
	broken.found("looked at 10")
	r := &Report{
		Plugin: "p", Workers: 2, Seed: 77, Tasks: 10, Statuses: map[task.Status]int{task.Completed: 9, task.Dead: 1},
		Strikes:  []Struck{{Fault: Kill, Count: 3, Recovery: Spread{Count: 3, P50: 1.5, P99: 20, Max: 250}}, {Fault: Int, Count: 1, Survived: 1}},
		Ended:    map[string]int{"signal": 3},
		Promises: []*Promise{kept, broken},
	}
	var b strings.Builder
	if err := r.Text(&b); err != nil {
		t.Fatal(err)
	}
	flat := strings.Join(strings.Fields(b.String()), " ")
	for _, want := range []string{
		"seed 77", "9 completed, 1 dead", "kill 3 0 1.5ms 20ms 250ms", "int 1 1 - - -", "workers ended: 3 signal",
		"kept kept one all well", "BROKEN broken one 7 cases; looked at 10", "BROKEN: broken one t1 is lost a line about it", "and 2 more",
	} {
		if !strings.Contains(flat, want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if got := Broken(r.Promises); got != "broken one" {
		t.Errorf("broken is %q", got)
	}
}

// What grows or spins is found.
func TestBoundsAreChecked(t *testing.T) {
	r := &run{plan: &Plan{}}
	for want, c := range map[string]Cost{
		"":          {PeakRSS: 10 << 20, MemoryBound: 20 << 20, CPU: 1, CPUBound: 2},
		"of memory": {PeakRSS: 30 << 20, MemoryBound: 20 << 20, CPU: 1, CPUBound: 2},
		"CPU time":  {PeakRSS: 10 << 20, MemoryBound: 20 << 20, CPU: 3, CPUBound: 2},
	} {
		p := r.bounded(c)
		if p.Kept != (want == "") || !p.Kept && !strings.Contains(p.Evidence[0], want) {
			t.Errorf("%q: %+v", want, p)
		}
	}
}
