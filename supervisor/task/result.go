package task

import "time"

// Status is how a task ended.
type Status string

// Every submitted task ends in exactly one of these.
const (
	Completed Status = "completed" // a handler answered
	Dead      Status = "dead"      // attempts or crashes used up, or the handler said no retry can help
	Cancelled Status = "cancelled" // by its submitter or by a shutdown
	Expired   Status = "expired"   // not started in time
	Rejected  Status = "rejected"  // never queued: malformed, unknown, too large
)

// Outcome is how one attempt ended.
type Outcome string

// Outcomes of an attempt.
const (
	OutcomeCompleted     Outcome = "completed"      // the handler answered
	OutcomeError         Outcome = "error"          // it returned an error
	OutcomePanic         Outcome = "panic"          // it panicked and the worker lived on
	OutcomeCrashed       Outcome = "crashed"        // its worker died
	OutcomeTimeout       Outcome = "timeout"        // soft or hard timeout
	OutcomeMemoryLimit   Outcome = "memory_limit"   // its worker went over the hard memory limit
	OutcomeHeartbeatLost Outcome = "heartbeat_lost" // its worker stopped beating
	OutcomeCancelled     Outcome = "cancelled"      // it was cancelled while it ran
	OutcomeBadFrame      Outcome = "bad_frame"      // its worker broke the protocol
)

// Attempt records one start of a handler.
type Attempt struct {
	N          int           // 1 for the first
	Worker     string        // the worker's name
	PID        int           // its process id
	Outcome    Outcome       //
	Message    string        // the error, or what happened to the worker, in a sentence
	Signal     string        // signal that ended the worker, for example "SIGSEGV"; empty if none
	ExitCode   int           // the worker's exit code, -1 unless it exited by itself
	PeakRSS    uint64        // bytes, the worker's highest resident memory seen; 0 if never seen
	CPU        time.Duration // CPU time the worker spent on it
	Run        time.Duration // wall time from start to end
	OutputTail string        // the end of what it printed (at most 8 KiB)
	Stack      string        // Go stacks at a panic, a crash or a hard timeout, if any
}

// Error kinds of a Result.
const (
	KindError         = "error"          // the handler's error
	KindPermanent     = "permanent"      // the handler said that no retry can help
	KindPanic         = "panic"          //
	KindCrashed       = "crashed"        //
	KindTimeout       = "timeout"        //
	KindMemoryLimit   = "memory_limit"   //
	KindHeartbeatLost = "heartbeat_lost" //
	KindBadFrame      = "bad_frame"      //
	KindCancelled     = "cancelled"      //
	KindExpired       = "expired"        //
	KindUnknownTask   = "unknown_task"   // the plugin has no such handler
	KindInvalid       = "invalid"        // malformed or over a limit
	KindDuplicate     = "duplicate"      // an id seen before
)

// Error is why a task did not complete.
type Error struct {
	Kind    string // one of the Kind constants
	Message string
}

// Error implements error.
func (e *Error) Error() string { return e.Kind + ": " + e.Message }

// Result is the one answer to a task.
type Result struct {
	Task     Task          // as submitted, its ID and Name filled in
	Status   Status        //
	Payload  []byte        // the handler's answer, if completed
	Err      *Error        // nil if completed
	Attempts []Attempt     // attempts that went wrong; all of them with RecordAttempts
	Started  int           // how often the handler was started
	Queued   time.Duration // from submission to the last start, or to the end if it never started
	Run      time.Duration // wall time of the last attempt
}
