package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/brood-run/brood/supervisor/internal/cgroup"
	"github.com/brood-run/brood/supervisor/internal/proc"
)

// errNoProcess: there is none yet.
var errNoProcess = errors.New("the worker has no process yet")

// spawn starts the process, in a cgroup of its own if workers get one.
func (w *Worker) spawn(ctx context.Context, c proc.Command) (*proc.Process, error) {
	if w.cfg.Cgroups == nil {
		return w.cfg.Spawner.Start(ctx, c)
	}
	g, err := w.cfg.Cgroups.New(w.name, w.cfg.Shared)
	if err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", c.Path, err)
	}
	c.Cage = g
	p, err := w.cfg.Spawner.Start(ctx, c)
	if err != nil {
		_, failed := g.Close() // nobody is in it
		return nil, errors.Join(err, failed)
	}
	w.mu.Lock()
	w.cgroup = g
	w.mu.Unlock()
	return p, nil
}

// cage is the worker's cgroup, nil without one.
func (w *Worker) cage() *cgroup.Cgroup {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cgroup
}

// Memory is the resident memory of the worker now, in bytes: with a cgroup, of it and all its
// descendants.
func (w *Worker) Memory() (uint64, error) {
	if g := w.cage(); g != nil {
		if n, ok := g.Memory(); ok {
			return n, nil
		}
	}
	p := w.proc()
	if p == nil {
		return 0, errNoProcess
	}
	m, err := p.Memory()
	return m.RSS, err
}

// CPU is the time used so far: with a cgroup, by the worker and all its descendants.
func (w *Worker) CPU() (time.Duration, error) {
	if g := w.cage(); g != nil {
		if d := g.CPU(); d > 0 {
			return d, nil
		}
	}
	p := w.proc()
	if p == nil {
		return 0, errNoProcess
	}
	return p.CPU()
}

// OOMKills is how many processes of the worker's cgroup the kernel has killed for lack of memory.
func (w *Worker) OOMKills() int {
	if g := w.cage(); g != nil {
		return g.OOMKills()
	}
	return 0
}

// observeTree notes what the worker takes with its descendants. The kernel's own peak would
// count the files they have read.
func (w *Worker) observeTree() {
	if g := w.cage(); g != nil {
		n, _ := g.Memory() // zero if it is gone
		w.Observe(n)
	}
}

// sweep ends what the worker has left behind. The kernel has done so where it had a PID namespace.
func (w *Worker) sweep() {
	n := 0
	switch g := w.cage(); {
	case w.proc() == nil: // it was given up before it could start anything
	case w.cfg.PIDNamespace && g == nil:
	case g == nil:
		n = w.cfg.Reaper.Sweep(w.tree())
	default:
		e := w.proc().Exit()
		n = max(e.Left, w.cfg.Reaper.SweepCaged(w.tree(), g, e))
		if e.LeftErr != nil && !errors.Is(e.LeftErr, os.ErrNotExist) {
			w.cfg.Logger.Warn("the worker's cgroup is left", "worker", w.name, "error", e.LeftErr)
		}
	}
	if n > 0 {
		w.cfg.Logger.Warn("killed processes that the worker left behind", "worker", w.name, "processes", n)
	}
}

// kernelSays adds what the cgroup tells about the end. Only a worker that was killed, by nobody who
// has said so, ended for lack of memory; of others it is told besides. With mu held, and the
// cgroup closed.
func (w *Worker) kernelSays(e *Exit) {
	if w.cgroup == nil {
		return
	}
	seen := w.cgroup.Events()
	e.Process.CPU = max(e.Process.CPU, seen.CPU)
	if seen.OOMKills == 0 {
		return
	}
	e.PeakRSS = max(e.PeakRSS, seen.Peak) // it fell between two looks
	switch {
	case e.Reason == ReasonSignal && e.Process.Signal == "SIGKILL":
		e.Reason, e.Err = ReasonHardMemory, w.oomError("it", seen)
	case e.Reason == ReasonHardMemory:
		e.Err = w.oomError("a process of its", seen)
	case e.Reason == ReasonStartFailed:
		e.Err = fmt.Errorf("%w; %w", e.Err, w.oomError("it", seen))
	case !e.Reason.Planned():
		// It may have to do with this end, or with a task before.
		e.Err = fmt.Errorf("%v; in the life of this worker: %w", e, w.oomError("a process of its", seen))
	}
}

// oomError says exactly what the kernel did to whom.
func (w *Worker) oomError(whom string, seen cgroup.Events) error {
	limit := w.cfg.Shared.Memory
	if limit == 0 || !seen.AtLimit {
		return fmt.Errorf("out of memory: the kernel killed %s, at no limit of the worker's own (oom_kill %d)", whom, seen.OOMKills)
	}
	return fmt.Errorf("hard memory limit: the kernel killed %s at the cgroup's limit of %.4g MiB (oom_kill %d)",
		whom, float64(limit)/(1<<20), seen.OOMKills)
}
