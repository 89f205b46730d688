package worker

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/conn"
	"github.com/brood-run/brood/ipc/wire"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/proc"
)

// dumpWait is how long a process may take to print its stacks.
const dumpWait = time.Second

// lastMoment is how long a process that failed the handshake may take to end by itself.
const lastMoment = 100 * time.Millisecond

// run is the worker's life.
func (w *Worker) run() {
	defer close(w.done)
	e := w.live()
	w.mu.Lock()
	w.state = StateExited
	w.mu.Unlock()
	w.cfg.Note(event.WorkerExited{Time: time.Now(), Pool: w.cfg.Pool, Worker: w.name,
		PID: e.PID, Reason: e.Reason.String(), Exit: e.Process.String()})
	w.owner.CountExit(e)
	w.tasks.Exited(e)
	w.owner.WorkerExited(w, e)
}

// live starts the process, serves it until it ends, and returns the record of that.
func (w *Worker) live() *Exit {
	var err error
	if w.pipes, err = newPipes(); err != nil {
		w.because(ReasonStartFailed, 0, fmt.Errorf("cannot start worker %s: %w", w.name, explainPipes(err)))
		return w.record(nil)
	}
	defer w.pipes.close()
	w.conn = conn.NewClient(w.pipes.responses, w.pipes.requests, w.cfg.MaxFrame)
	w.capture = newCapture(w)

	var captures, io sync.WaitGroup
	stop := make(chan struct{})
	captures.Go(func() { w.capture.read(0, w.pipes.stdout) })
	captures.Go(func() { w.capture.read(1, w.pipes.stderr) })
	p := w.start()
	if p != nil {
		io.Go(w.read)
		io.Go(func() { w.write(stop) })
		w.serve(p)
	}
	w.sweep()
	// The process is gone. What it wrote is still in the pipes: read that, but do
	// not wait for a descendant that may hold them open.
	close(stop)
	w.pipes.finish()
	io.Wait()
	w.recover()
	captures.Wait()
	w.launching.Wait()
	w.capture.finish()
	defer w.unmap()
	return w.record(p)
}

// unmap keeps others from reading the scoreboard once its page is gone.
func (w *Worker) unmap() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.board = nil
}

// start launches the process up to its handshake. It returns nil if there is no process, or
// it turned out to be no plugin and is gone.
func (w *Worker) start() *proc.Process {
	err := w.launch()
	w.pipes.closeChildEnds()
	p := w.proc()
	if err != nil {
		w.because(startReason(err), 0, err)
		if p != nil {
			w.bury(p)
		}
		return nil
	}
	return p
}

// bury ends a process that is no worker. One that is ending by itself is given the time:
// its exit code says more than our signal.
func (w *Worker) bury(p *proc.Process) {
	moment := time.NewTimer(lastMoment)
	defer moment.Stop()
	select {
	case <-p.Done():
		w.alone = true
	case <-moment.C:
		_ = p.Kill() // it may be over already
		<-p.Done()
	}
}

// serve watches the process until it has ended.
func (w *Worker) serve(p *proc.Process) {
	kill := time.NewTimer(time.Until(w.born.Add(w.cfg.StartTimeout))) // kills when it fires; first, unless Ready comes
	defer kill.Stop()
	for {
		select {
		case <-p.Done():
			return
		case r := <-w.ready:
			kill.Stop()
			w.becameReady(p, r)
		case <-w.dump:
			kill.Reset(dumpWait)
		case <-w.leave:
			kill.Reset(w.cfg.StopGrace)
		case <-kill.C:
			w.because(ReasonStartTimeout, 0, errStartTimeout)
			w.kill()
		}
	}
}

func (w *Worker) becameReady(p *proc.Process, r ipc.Ready) {
	if r.Error != "" {
		w.because(ReasonStartFailed, 0, fmt.Errorf("plugin %s failed to start: %s", w.cfg.Path, r.Error))
		w.kill()
		return
	}
	w.mu.Lock()
	w.info = r
	if r.Scoreboard {
		w.board = w.pipes.board
	}
	if w.state == StateStarting {
		w.state = StateReady
	}
	w.mu.Unlock()
	w.sighting.keep()
	w.Peak() // so that even a worker that dies at once has a figure
	w.cfg.Note(event.WorkerReady{Time: time.Now(), Pool: w.cfg.Pool, Worker: w.name, PID: p.PID(), Took: w.Age()})
	w.tasks.Ready(r)
	w.owner.WorkerReady(w)
}

func (w *Worker) tree() string { return w.cfg.Reaper.Tree(w.name) }

// read takes frames until the stream ends. It is the reader goroutine.
func (w *Worker) read() {
	err := w.conn.Run(callbacks{w})
	if err == nil {
		return
	}
	w.because(ReasonBadFrame, 0, fmt.Errorf("worker broke the protocol: %w", err))
	w.become(StateStopping)
	w.kill()
}

// recover takes the answers that the worker had finished and held back when it died.
func (w *Worker) recover() {
	w.mu.Lock()
	board := w.board
	w.mu.Unlock()
	if board != nil {
		w.conn.Recover(board.Leftover(w.conn.Understood()), callbacks{w})
	}
}

// callbacks is the worker as its connection sees it.
type callbacks struct{ w *Worker }

func (c callbacks) Heard() { c.w.heard.Add(1) }

func (c callbacks) Ready(r ipc.Ready) error {
	if r.Wire != ipc.Version {
		return fmt.Errorf("Ready names wire version %d, offered was %d", r.Wire, ipc.Version)
	}
	if r.SDK == "" {
		return errors.New("Ready names no SDK")
	}
	c.w.capture.agree(&r)
	c.w.ready <- r
	return nil
}

func (c callbacks) Results(rs []wire.Result) error {
	w := c.w
	answers := w.answers[:0]
	for i := range rs {
		answers = append(answers, Answer{Result: rs[i]})
		w.pipes.widen(len(rs[i].Payload))
		w.observe(&answers[i])
	}
	w.answers = answers
	return w.tasks.Results(answers)
}

func (c callbacks) Recalled(ids []uint64) error         { return c.w.tasks.Recalled(ids) }
func (c callbacks) Progress(seq uint64, p ipc.Progress) { c.w.tasks.Progress(seq, p) }
func (c callbacks) Beat(ipc.Beat)                       {}
func (c callbacks) Recycle(r ipc.Recycle)               { c.w.owner.WorkerAsked(c.w, r.Reason) }
