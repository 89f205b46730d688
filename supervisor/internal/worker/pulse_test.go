package worker

import (
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/ipc/scoreboard"
)

// Each letter is what came from the worker before a look: a frame, a beat on its scoreboard,
// a beat counted backwards, or nothing.
func TestPulseCountsLooksWithoutASign(t *testing.T) {
	for name, c := range map[string]struct {
		state State
		came  string
		lost  bool
	}{
		"frames":                 {StateReady, "ffffff", false},
		"beats":                  {StateReady, "bbbbbb", false},
		"one in three":           {StateReady, "f..b..f..b..", false},
		"three without":          {StateReady, "fb...", true},
		"nothing since ready":    {StateReady, "...", true},
		"while it drains":        {StateDraining, "f...", true},
		"while it starts":        {StateStarting, "......", false},
		"a counter runs back":    {StateReady, "b----", false},
		"frames without a board": {StateReady, "xf..f..", false},
		"silent without a board": {StateReady, "xf...", true},
	} {
		t.Run(name, func(t *testing.T) {
			w := &Worker{cfg: &Config{Missed: 3, Logger: hclog.NewNullLogger()}, state: c.state}
			board, f, err := scoreboard.Create()
			if err == nil {
				f.Close()
				defer board.Close()
				w.board = board
			} else if c.came[0] != 'x' {
				t.Skip(err)
			}
			for _, sign := range c.came {
				switch sign {
				case 'x':
					w.board = nil
				case 'f':
					callbacks{w}.Heard()
				case 'b':
					board.Beat(scoreboard.Vitals{})
				case '-':
					w.pulse.life += 7
				}
				w.Pulse()
			}
			if lost := w.reason == ReasonHeartbeatLost; lost != c.lost {
				t.Errorf("given up: %v, for %v", lost, w.reason)
			}
		})
	}
}
