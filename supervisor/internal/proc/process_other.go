//go:build unix && !linux

package proc

import (
	"os"
	"syscall"
)

// handle leaves the waiting to the os package.
type handle struct {
	proc  *os.Process
	state *os.ProcessState // set by awaitEnd, read by reap
}

func (h *handle) signal(_ int, sig syscall.Signal) error { return h.proc.Signal(sig) }

func (p *Process) awaitEnd() {
	// An error leaves the state nil: an unknown exit status.
	p.state, _ = p.proc.Wait()
}

// reap kills what is left of the group. The leader has just been waited for, so its
// id is free; a moment is too short for the system to hand it out again.
func (p *Process) reap() Exit {
	_ = syscall.Kill(-p.pid, syscall.SIGKILL) // ESRCH: nobody left
	if p.state == nil {
		return Exit{Code: -1}
	}
	ws, ok := p.state.Sys().(syscall.WaitStatus)
	if !ok {
		return Exit{Code: -1}
	}
	return newExit(ws, p.state.UserTime()+p.state.SystemTime())
}

// Stopped cannot be told here.
func (p *Process) Stopped() bool { return false }

func (h *handle) release() {}

func highWater(int) (uint64, error) { return 0, nil }
