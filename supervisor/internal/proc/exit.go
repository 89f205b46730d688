package proc

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Exit is how a process ended.
type Exit struct {
	Code       int           // exit code, -1 if it was killed by a signal
	Signal     string        // for example "SIGSEGV"; empty if it exited by itself
	CoreDumped bool          //
	CPU        time.Duration // user and system time, with the children it waited for
	Left       int           // processes that were killed in its cage afterwards
	LeftErr    error         // why the cage could not be emptied or removed
	MaxRSS     uint64        // highest resident memory in bytes, 0 if it cannot be told from the supervisor's own
}

// String is a phrase for logs and records: "exit code 3", "killed by SIGSEGV (core dumped)".
func (e Exit) String() string {
	switch {
	case e.Signal == "" && e.Code < 0:
		return "unknown exit status"
	case e.Signal == "":
		return fmt.Sprintf("exit code %d", e.Code)
	case e.CoreDumped:
		return fmt.Sprintf("killed by %s (core dumped)", e.Signal)
	}
	return "killed by " + e.Signal
}

// newExit reads a wait status.
func newExit(ws syscall.WaitStatus, cpu time.Duration) Exit {
	e := Exit{Code: -1, CPU: cpu}
	if ws.Signaled() {
		e.Signal = signalName(ws.Signal())
		e.CoreDumped = ws.CoreDump()
	} else {
		e.Code = ws.ExitStatus()
	}
	return e
}

// signalName also names the signals that have none: real-time ones.
func signalName(s syscall.Signal) string {
	if name := unix.SignalName(s); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", int(s))
}
