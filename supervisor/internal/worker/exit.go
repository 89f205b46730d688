package worker

import (
	"fmt"
	"time"

	"github.com/brood-run/brood/supervisor/internal/proc"
)

// Exit is the record of a worker's end.
type Exit struct {
	Worker  string
	PID     int // 0 if there never was a process
	Reason  Reason
	Culprit uint64 // the task for whose sake it was killed; 0 if none
	Err     error  // what could not be started, or how the protocol was broken

	Ready   bool          // it had become ready
	Process proc.Exit     // code or signal, CPU time, peak memory
	PeakRSS uint64        // bytes; 0 if never seen
	Age     time.Duration //

	// Started is the highest task id whose handler was entered, as the worker
	// itself noted; only meaningful if StartedKnown.
	Started      uint64
	StartedKnown bool
	TaskCPU      time.Duration // CPU time since the last task started; 0 if unknown

	Lost int // tasks that lost an attempt by it; set by Tasks.Exited

	Output string // the end of what it printed during its last task
	Stack  string // Go stacks from its stderr, if it died with some
}

// String says in a sentence how the worker ended.
func (e *Exit) String() string {
	if e.Err != nil {
		return e.Err.Error()
	}
	switch e.Reason {
	case ReasonHeartbeatLost:
		return "worker stopped sending heartbeats (stopped or wedged) and was killed"
	case ReasonHardTimeout:
		return "hard timeout: worker was killed"
	case ReasonHardMemory:
		return "hard memory limit: worker was killed"
	case ReasonUncancellable:
		return "the handler did not return after it was cancelled: worker was killed"
	case ReasonClean:
		return "worker left by itself with exit code 0"
	case ReasonExitCode:
		return fmt.Sprintf("worker left by itself with %v", e.Process)
	case ReasonSignal:
		return fmt.Sprintf("worker was %v", e.Process)
	default:
		return fmt.Sprintf("worker was stopped (%v)", e.Reason)
	}
}
