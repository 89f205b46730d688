package worker

import "fmt"

// Reason is why a worker ended. It is decided once: the first cause wins, and
// what the operating system says afterwards does not change it.
type Reason uint8

// Reasons, in the words users see.
const (
	ReasonNone          Reason = iota
	ReasonClean                // left by itself with code 0
	ReasonExitCode             // left by itself with another code
	ReasonSignal               // killed by a signal that was not ours
	ReasonStartFailed          // did not become ready: could not be started, or died first
	ReasonStartTimeout         // did not become ready in time
	ReasonBadFrame             // broke the protocol
	ReasonHeartbeatLost        // stopped beating
	ReasonHardTimeout          // a task ran into its hard timeout
	ReasonHardMemory           // went over the hard memory limit
	ReasonUncancellable        // a cancelled task did not return
	ReasonMaxTasks             // did as many tasks as a worker may
	ReasonSoftMemory           // went over the soft memory limit
	ReasonTTL                  // reached its age limit
	ReasonIdle                 // had nothing to do for too long
	ReasonAsked                // asked to be replaced
	ReasonRequest              // somebody asked for its replacement
	ReasonReload               // the pool was given other settings, or another file
	ReasonScaleDown            // the pool was made smaller
	ReasonShutdown             // the supervisor stopped
	reasons
)

var reasonNames = [reasons]string{
	"none", "clean", "exit_code", "signal", "start_failed", "start_timeout", "bad_frame", "heartbeat_lost",
	"hard_timeout", "hard_memory_limit", "uncancellable", "max_tasks", "soft_memory_limit", "ttl", "idle", "asked",
	"request", "reload", "scale_down", "shutdown",
}

// String returns the reason's name, as in figures and logs.
func (r Reason) String() string {
	if r >= reasons {
		return fmt.Sprintf("reason(%d)", uint8(r))
	}
	return reasonNames[r]
}

// Planned says that the worker was told to leave, and when it was idle.
func (r Reason) Planned() bool { return r >= ReasonMaxTasks }
