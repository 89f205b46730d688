package task

import (
	"slices"
	"strings"
	"testing"
)

// The table again, in the other direction and by name, so that a change of the code
// has to be made twice.
var mayFollow = map[string][]string{
	"queued":    {"running", "retrying"},
	"running":   {"queued"},
	"retrying":  {"running"},
	"completed": {"running"},
	"dead":      {"queued", "running"},
	"cancelled": {"queued", "running", "retrying"},
	"expired":   {"queued", "running", "retrying"},
}

func TestTransitions(t *testing.T) {
	for from := State(0); from <= states; from++ {
		for to := State(0); to <= states; to++ {
			want := slices.Contains(mayFollow[to.String()], from.String())
			if got := from.CanBecome(to); got != want {
				t.Errorf("%v to %v: %v, want %v", from, to, got, want)
			}
		}
	}
}

func TestNothingFollowsAFinalState(t *testing.T) {
	for s := State(0); s < states; s++ {
		leads := false
		for to := State(0); to < states; to++ {
			leads = leads || s.CanBecome(to)
		}
		if leads == s.Final() {
			t.Errorf("%v: final is %v, and something follows: %v", s, s.Final(), leads)
		}
	}
}

func TestEveryStateHasAName(t *testing.T) {
	seen := map[string]bool{}
	for s := State(0); s < states; s++ {
		name := s.String()
		if name == "" || strings.Contains(name, "(") || seen[name] {
			t.Errorf("state %d is called %q", uint8(s), name)
		}
		seen[name] = true
	}
	if got := states.String(); got != "state(7)" {
		t.Errorf("an unknown state is called %q", got)
	}
}

// Each final state is what a result calls its status.
func TestFinalStatesAreStatuses(t *testing.T) {
	for s, want := range map[State]Status{
		StateCompleted: Completed, StateDead: Dead, StateCancelled: Cancelled, StateExpired: Expired,
	} {
		if s.String() != string(want) {
			t.Errorf("state %v ends with status %q", s, want)
		}
	}
}
