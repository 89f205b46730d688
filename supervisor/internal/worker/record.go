package worker

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
	"github.com/brood-run/brood/supervisor/internal/proc"
)

// observe adds to an answer what the supervisor knows of it.
func (w *Worker) observe(a *Answer) {
	wanted := a.Outcome != ipc.OutcomeCompleted || w.cfg.RecordOutput
	if !w.capture.exact && wanted && w.cfg.Slots == 1 {
		a.Output = w.capture.endOf(a.Seq)
	}
	if a.Flags&wire.ResultFlagOutput != 0 && w.capture.exact {
		if c := w.capture.mark(a.Seq, a.StdoutEnd, a.StderrEnd, wanted); wanted {
			// The bytes are in the pipe already; only a lie makes this wait long.
			timer := time.NewTimer(tailWait)
			select {
			case a.Output = <-c:
			case <-timer.C:
			}
			timer.Stop()
		}
	}
	if wanted && a.Outcome != ipc.OutcomeUnstarted {
		a.PeakRSS = w.Peak()
	}
}

// Observe notes the resident memory that somebody has read.
func (w *Worker) Observe(rss uint64) {
	for {
		old := w.peak.Load()
		if rss <= old || w.peak.CompareAndSwap(old, rss) {
			return
		}
	}
}

// Peak is the highest resident memory so far in bytes, read now if the process lives.
func (w *Worker) Peak() uint64 {
	if p := w.proc(); p != nil {
		if peak, err := p.Peak(); err == nil {
			w.Observe(peak)
		}
		w.observeTree()
	}
	return w.peak.Load()
}

// record writes down how the worker ended. p is nil if it did not get past its handshake.
func (w *Worker) record(p *proc.Process) *Exit {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := &Exit{
		Worker: w.name, Reason: w.reason, Culprit: w.culprit, Err: w.err,
		Ready: w.info.SDK != "", Age: time.Since(w.born), Process: proc.Exit{Code: -1},
	}
	if w.process != nil {
		e.PID = w.process.PID()
		e.Process = w.process.Exit()
		e.PeakRSS = max(w.peak.Load(), e.Process.MaxRSS)
	}
	w.lastWords(e)
	if e.Ready {
		w.progress(e)
	}
	if e.Reason == ReasonNone {
		e.Reason = w.natural(e)
	}
	if !e.Ready && (e.Reason == ReasonStartFailed || e.Reason == ReasonStartTimeout) {
		e.Err = w.startError(e)
	}
	w.kernelSays(e)
	return e
}

// natural is the reason of a worker that nobody ended.
func (w *Worker) natural(e *Exit) Reason {
	switch {
	case !e.Ready:
		return ReasonStartFailed
	case e.Process.Signal != "":
		return ReasonSignal
	case e.Process.Code == 0:
		return ReasonClean
	default:
		return ReasonExitCode
	}
}

// progress reads from the scoreboard how far the worker had come.
func (w *Worker) progress(e *Exit) {
	if w.pipes.board == nil || !w.info.Scoreboard {
		return
	}
	e.Started, e.StartedKnown = w.pipes.board.Started(), true
	if _, _, _, cpu, ok := w.pipes.board.Current(); ok && e.Started > 0 {
		e.TaskCPU = max(0, e.Process.CPU-time.Duration(cpu))
	}
}

// lastWords takes the output of the last task and the crash trace.
func (w *Worker) lastWords(e *Exit) {
	if w.capture == nil {
		return
	}
	t := &w.capture.out
	e.Output = string(cutTail(t.tail))
	if bytes.Contains(t.trace, []byte("goroutine ")) {
		e.Stack = string(t.trace)
	} else {
		e.Output += string(t.trace[:min(len(t.trace), maxTail)])
	}
}

// startError says in a sentence or two why the worker never became ready.
func (w *Worker) startError(e *Exit) error {
	if errors.Is(e.Err, proc.ErrCannotStart) || w.process == nil {
		return e.Err
	}
	said := e.Output[max(0, len(e.Output)-maxSaid):] + e.Stack[:min(len(e.Stack), maxSaid)]
	if first := w.capture.out.first; !bytes.HasPrefix(first, []byte(handshakePrefix)) {
		said = string(first) + said
	}
	printed := "it printed nothing"
	if said != "" {
		printed = fmt.Sprintf("it printed: %q", said)
	}
	var bad *handshakeError
	isBad := errors.As(e.Err, &bad)
	switch {
	case e.Reason == ReasonStartTimeout:
		return fmt.Errorf("plugin %s did not become ready within %v (start_timeout); %s", w.cfg.Path, w.cfg.StartTimeout, printed)
	case e.Err != nil && !isBad:
		return e.Err
	case !isBad || w.alone || len(w.capture.out.first) == 0:
		return fmt.Errorf("plugin %s ended before it was ready: %v; %s%s", w.cfg.Path, e.Process, printed, w.suspicion())
	case bytes.HasPrefix(w.capture.out.first, []byte(handshakePrefix)):
		return fmt.Errorf("plugin %s does not fit this brood: %v; %s", w.cfg.Path, bad.err, printed)
	default:
		return fmt.Errorf("%s is not a brood plugin: its first line of output is no handshake; %s", w.cfg.Path, printed)
	}
}

// suspicion is what may have kept a plugin from starting although it is a good one.
func (w *Worker) suspicion() string {
	if len(w.cfg.Limits.AllowRead) == 0 {
		return ""
	}
	return " (it may read only what allow_read and allow_write name: a program needs its shared libraries, " +
		"often in /lib, /lib64 and /usr/lib, a script its interpreter's files too)"
}

// handshakePrefix begins the line of anything that speaks go-plugin's handshake.
const handshakePrefix = "1|"

// maxSaid is how much of what a worker printed goes into the reason why it did not start.
const maxSaid = 1000
