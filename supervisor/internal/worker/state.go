package worker

import "fmt"

// State is where a worker stands. Why it ends is a Reason, never a state.
type State uint8

// States, in the order in which a worker passes through them.
const (
	StateStarting State = iota // the process is being started and has not said Ready
	StateReady                 // waiting for tasks
	StateBusy                  // at least one task is in its pipe
	StateDraining              // takes no new task, finishes what it has
	StateStopping              // told to leave, or killed
	StateExited                // reaped, its pipes drained
	states
)

// String returns the state's name.
func (s State) String() string {
	names := [states]string{"starting", "ready", "busy", "draining", "stopping", "exited"}
	if s >= states {
		return fmt.Sprintf("state(%d)", uint8(s))
	}
	return names[s]
}

// transitions lists what may follow each state.
var transitions = [states][]State{
	StateStarting: {StateReady, StateStopping, StateExited},
	StateReady:    {StateBusy, StateDraining, StateStopping, StateExited},
	StateBusy:     {StateReady, StateDraining, StateStopping, StateExited},
	StateDraining: {StateStopping, StateExited},
	StateStopping: {StateExited},
}

// CanBecome says whether a worker may go from s to t in one step.
func (s State) CanBecome(t State) bool {
	if s >= states {
		return false
	}
	for _, n := range transitions[s] {
		if n == t {
			return true
		}
	}
	return false
}
