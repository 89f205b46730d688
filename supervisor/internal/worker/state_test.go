package worker

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/brood-run/brood/supervisor/internal/proc"
)

// The table again, in the other direction and by name, so that a change of the code
// has to be made twice.
var mayFollow = map[string][]string{
	"starting": {},
	"ready":    {"starting", "busy"},
	"busy":     {"ready"},
	"draining": {"ready", "busy"},
	"stopping": {"starting", "ready", "busy", "draining"},
	"exited":   {"starting", "ready", "busy", "draining", "stopping"},
}

func TestTransitions(t *testing.T) {
	for from := State(0); from <= states; from++ {
		for to := State(0); to <= states; to++ {
			if want := slices.Contains(mayFollow[to.String()], from.String()); from.CanBecome(to) != want {
				t.Errorf("%v to %v: %v, want %v", from, to, !want, want)
			}
		}
	}
}

func TestEveryReasonHasItsOwnNameAndSentence(t *testing.T) {
	names, sentences := map[string]bool{}, map[string]bool{}
	for r := ReasonNone; r < reasons; r++ {
		e := Exit{Reason: r, Process: proc.Exit{Code: 3}}
		if name := r.String(); name == "" || names[name] || strings.ContainsAny(name, " (") {
			t.Errorf("reason %d is called %q", uint8(r), name)
		}
		if s := e.String(); s == "" || sentences[s] {
			t.Errorf("reason %v reads %q", r, s)
		}
		names[r.String()], sentences[e.String()] = true, true
	}
	if got := reasons.String(); got != "reason(20)" {
		t.Errorf("an unknown reason is called %q", got)
	}
	if got := (&Exit{Reason: ReasonBadFrame, Err: errors.New("detail")}).String(); got != "detail" {
		t.Errorf("a detail is told as %q", got)
	}
}

func TestOnlyPlannedEndsArePlanned(t *testing.T) {
	for r := ReasonNone; r < reasons; r++ {
		planned := slices.Contains([]Reason{ReasonMaxTasks, ReasonSoftMemory, ReasonTTL, ReasonIdle, ReasonAsked, ReasonRequest, ReasonReload, ReasonScaleDown, ReasonShutdown}, r)
		if r.Planned() != planned {
			t.Errorf("%v: planned %v", r, r.Planned())
		}
	}
}
