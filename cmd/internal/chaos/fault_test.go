package chaos

import (
	"slices"
	"strings"
	"testing"
)

func TestParseFaults(t *testing.T) {
	got, err := ParseFaults("stop, kill,stop")
	if err != nil || !slices.Equal(got, []Fault{Stop, Kill}) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"", "kil", "kill,,stop", "KILL", "grandchild"} {
		if _, err := ParseFaults(bad); err == nil || !strings.Contains(err.Error(), "kill,segv,abrt") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Each fault is either a signal or a task with the outcome that its record must have.
func TestEveryFaultCanBeMade(t *testing.T) {
	for _, f := range Faults() {
		by := f.by()
		isTask := by.task != "" && by.payload != "" && by.timeout > 0 && by.outcome != ""
		if isSignal := by.signal != 0; isSignal == isTask {
			t.Errorf("%s: %+v", f, by)
		}
	}
}

func TestPossible(t *testing.T) {
	can, cannot := Possible(Faults(), []string{"echo", "hang"})
	if join(can) != "kill,segv,abrt,term,stop,int,hang,start" || join(cannot) != "oom,badframe,flood" {
		t.Errorf("can %s, cannot %s", join(can), join(cannot))
	}
	if got := Needs([]Fault{OOM, Flood}); got != `oom needs the task "leak", flood needs the task "flood"` {
		t.Errorf("got %s", got)
	}
}
