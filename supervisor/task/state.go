package task

import "fmt"

// State is where a task stands.
type State uint8

// States. The last four are final.
const (
	StateQueued    State = iota // waiting for a worker
	StateRunning                // handed to a worker
	StateRetrying               // waiting for its next attempt's time
	StateCompleted              //
	StateDead                   //
	StateCancelled              //
	StateExpired                //
	states
)

// String returns the state's name.
func (s State) String() string {
	names := [states]string{"queued", "running", "retrying", "completed", "dead", "cancelled", "expired"}
	if s >= states {
		return fmt.Sprintf("state(%d)", uint8(s))
	}
	return names[s]
}

// Final says that nothing can follow.
func (s State) Final() bool { return s >= StateCompleted }

// next lists what may follow each state. Running may fall back to queued: its
// worker was lost, drained or recalled before the handler was entered.
var next = [states][]State{
	StateQueued:   {StateRunning, StateDead, StateCancelled, StateExpired},
	StateRunning:  {StateCompleted, StateRetrying, StateQueued, StateDead, StateCancelled, StateExpired},
	StateRetrying: {StateQueued, StateCancelled, StateExpired},
}

// CanBecome says whether a task may go from s to t in one step.
func (s State) CanBecome(t State) bool {
	if s >= states {
		return false
	}
	for _, n := range next[s] {
		if n == t {
			return true
		}
	}
	return false
}
