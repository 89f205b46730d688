package worker

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/conn"
	"github.com/brood-run/brood/ipc/scoreboard"
	"github.com/brood-run/brood/ipc/wire"
	"github.com/brood-run/brood/supervisor/internal/cgroup"
	"github.com/brood-run/brood/supervisor/internal/proc"
)

// Worker is one worker process.
type Worker struct {
	cfg   *Config
	name  string
	owner Owner
	tasks Tasks
	born  time.Time

	pipes   *pipes
	conn    *conn.Client
	capture *capture
	answers []Answer // the reader's, used again
	alone   bool     // run's: it failed the handshake and ended by itself

	sighting sighting // run's: of the file it was started from

	launching sync.WaitGroup // a goroutine of launch's that ends with the process

	wake  chan struct{} // to the writer: look for tasks; capacity 1
	dump  chan struct{} // to run: SIGQUIT was sent, kill soon; capacity 1
	leave chan struct{} // to run: Drain was sent, kill if it does not leave; capacity 1
	ready chan ipc.Ready
	done  chan struct{} // closed when everything is over
	heard atomic.Uint64 // reads from the response pipe that brought something
	peak  atomic.Uint64 // highest RSS seen, in bytes
	pulse pulse         // the caller of Pulse's

	mu      sync.Mutex
	state   State
	process *proc.Process  // nil before it is started
	cgroup  *cgroup.Cgroup // nil without one, and before process
	reason  Reason         // the first one given
	culprit uint64
	err     error
	dumped  bool // SIGQUIT was sent
	info    ipc.Ready
	board   *scoreboard.Board // nil unless the worker keeps it and the page is mapped
}

// Start begins a worker's life and returns at once. tasks is called with the new worker
// before anything else happens. Done closes after Owner.WorkerExited.
func Start(cfg *Config, name string, owner Owner, tasks func(*Worker) Tasks) *Worker {
	w := &Worker{
		cfg: cfg, name: name, owner: owner, born: time.Now(),
		wake: make(chan struct{}, 1), dump: make(chan struct{}, 1), leave: make(chan struct{}, 1),
		ready: make(chan ipc.Ready, 1), done: make(chan struct{}),
	}
	w.tasks = tasks(w)
	go w.run()
	return w
}

// Name is the worker's name, unique within its supervisor.
func (w *Worker) Name() string { return w.name }

// Done is closed when the process is reaped and all goroutines have ended.
func (w *Worker) Done() <-chan struct{} { return w.done }

// Age is the time since Start.
func (w *Worker) Age() time.Duration { return time.Since(w.born) }

// PID is the process id, 0 before there is one.
func (w *Worker) PID() int {
	if p := w.proc(); p != nil {
		return p.PID()
	}
	return 0
}

// State is where the worker stands. Whether a ready one is busy is for its lane to say.
func (w *Worker) State() State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state
}

// Info is what the worker said when it became ready.
func (w *Worker) Info() ipc.Ready {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.info
}

// Process is the running process, nil before it is started.
func (w *Worker) Process() *proc.Process { return w.proc() }

func (w *Worker) proc() *proc.Process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.process
}

// Started says whether a task's handler was entered; true if the worker keeps no scoreboard.
func (w *Worker) Started(seq uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.board == nil || w.board.Started() >= seq
}

// Wake has the writer look for tasks soon.
func (w *Worker) Wake() { signal(w.wake) }

// Cancel sends a Cancel frame.
func (w *Worker) Cancel(seq uint64, cause ipc.Cause) {
	w.conn.Cancel(seq, cause)
	w.Wake()
}

// Recall sends a Recall frame.
func (w *Worker) Recall(seq uint64) {
	w.conn.Recall(seq)
	w.Wake()
}

// Drain moves the worker to draining: its lane gives it no more tasks.
func (w *Worker) Drain() { w.become(StateDraining) }

// Stop tells an empty worker to leave, and kills it if it does not within StopGrace.
func (w *Worker) Stop(reason Reason) {
	if !w.because(reason, 0, nil) {
		return
	}
	w.become(StateStopping)
	if w.Info().SDK == "" { // not ready yet: nobody would read the frame
		w.kill()
		return
	}
	w.conn.Drain()
	w.Wake()
	signal(w.leave)
}

// Kill ends the process now. detail, if not nil, says more than the reason.
func (w *Worker) Kill(reason Reason, detail error) {
	w.because(reason, 0, detail)
	w.become(StateStopping)
	w.kill()
}

// Dump ends the process for the sake of a task, 0 for none, with SIGQUIT, which makes a
// Go program print its stacks, and kills it if that takes longer than dumpWait.
func (w *Worker) Dump(reason Reason, culprit uint64, detail error) {
	w.because(reason, culprit, detail)
	w.become(StateStopping)
	w.mu.Lock()
	p, again := w.process, w.dumped
	w.dumped = true
	w.mu.Unlock()
	if p == nil || again {
		return // a second dump must not put the kill off
	}
	if p.Stopped() {
		// It prints nothing. Letting it go on would let it finish, and start, tasks it has
		// been given up for.
		_ = p.Kill() // it may be over already
		return
	}
	_ = p.Signal(syscall.SIGQUIT) // it may be over already
	signal(w.dump)
}

// because records why the worker ends, unless that is known already.
func (w *Worker) because(r Reason, culprit uint64, err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reason != ReasonNone {
		return false
	}
	w.reason, w.culprit, w.err = r, culprit, err
	return true
}

// become moves to a state if the table allows it. A refusal is nothing unusual: a worker
// may be told to drain while it dies. It is logged, for who wonders.
func (w *Worker) become(s State) {
	w.mu.Lock()
	from := w.state
	allowed := from.CanBecome(s)
	if allowed {
		w.state = s
	}
	w.mu.Unlock()
	if !allowed && from != s {
		w.cfg.Logger.Trace("worker state change refused", "worker", w.name, "from", from, "to", s)
	}
}

func (w *Worker) kill() {
	if p := w.proc(); p != nil {
		_ = p.Kill() // it may be over already
	}
}

// write hands tasks and control frames to the process until there is none. It is the
// writer goroutine.
func (w *Worker) write(stop <-chan struct{}) {
	emit := w.emit
	for {
		select {
		case <-stop:
			return
		case <-w.wake:
		}
		for more := true; more; {
			more = w.tasks.Take(emit) > 0
			if w.conn.Flush() != nil {
				// Nobody reads any more: the process is dying, which run will see.
				return
			}
		}
	}
}

// emit appends what Take hands out.
func (w *Worker) emit(tasks []wire.Execute) {
	for i := range tasks {
		w.pipes.widen(len(tasks[i].Payload))
	}
	w.conn.Execute(tasks)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
