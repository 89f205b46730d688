package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/conn"
	"github.com/brood-run/brood/ipc/pipe"
	"github.com/brood-run/brood/ipc/scoreboard"
	"github.com/brood-run/brood/ipc/wire"
)

// sdk names this package and its version to the supervisor.
const sdk = "brood-go/1.0"

// Exit codes of a worker.
const (
	exitClean   = 0 // drained, or the supervisor is gone
	exitStart   = 1 // a start hook failed
	exitProblem = 2 // run by hand, or the supervisor cannot be understood
)

// Serve runs the plugin as a worker of the supervisor that started the process. It
// never returns: the process ends when the supervisor asks for it or is gone.
// Call it at the end of main, and print nothing before.
func (p *Plugin) Serve() {
	for _, fd := range []int{ipc.FDRequests, ipc.FDResponses, ipc.FDScoreboard} {
		// First of all: a process started by a hook or a handler must not hold
		// the pipes open when this one is gone.
		syscall.CloseOnExec(fd)
	}
	if os.Getenv(ipc.CookieKey) != ipc.CookieValue {
		fmt.Fprint(os.Stderr, p.manual(os.Args[0]))
		os.Exit(exitProblem)
	}
	if orphaned(os.Getenv(ipc.EnvSupervisor), os.Getppid()) {
		os.Exit(exitClean)
	}
	surviveInterrupt() // Ctrl-C in a terminal is the supervisor's business
	fmt.Printf("1|%d|tcp|127.0.0.1:0|%s|\n", ipc.Version, ipc.Protocol)
	w := &worker{plugin: p, sole: p.sole()}
	os.Exit(w.serve(end(ipc.FDRequests, "requests"), end(ipc.FDResponses, "responses")))
}

// orphaned says that the parent is not the supervisor that started this process,
// whose pid is known unless it is empty or 0.
func orphaned(supervisor string, parent int) bool {
	pid, err := strconv.Atoi(supervisor)
	return err == nil && pid != 0 && pid != parent
}

// end wraps an inherited descriptor. Reads and writes go through the runtime's
// poller: a blocked system call would cost its processor to the scheduler, and the
// goroutine that runs the task a wake-up of another thread. Measured between two
// processes, a round trip takes half the time of one with blocking descriptors.
func end(fd int, name string) io.ReadWriter {
	err := syscall.SetNonblock(fd, true)
	f := os.NewFile(uintptr(fd), name)
	if err == nil {
		if e, err := pipe.New(f); err == nil {
			e.Spin()
			return e
		}
	}
	return f // it blocks, and all works as well
}

// serve speaks with the supervisor until one of them leaves and returns the exit code.
func (w *worker) serve(requests io.Reader, responses io.Writer) int {
	w.logger = hclog.New(&hclog.LoggerOptions{Name: w.plugin.name, Output: os.Stderr, JSONFormat: true})
	base := context.WithValue(context.Background(), workerKey{}, w)
	server, err := conn.NewServer(requests, responses, conn.ServerWork{
		Handle: w.handle, Cause: causeError, Base: base, Crash: w.plugin.crash,
	})
	if err != nil {
		return w.leave(err)
	}
	// Whatever goes on here, also in a hook: without a supervisor it is for nobody.
	// This goroutine lasts as long as the process.
	go func() { <-server.Gone(); os.Exit(w.leave(server.Err())) }()
	w.hello = server.Hello()
	if e, ok := requests.(*pipe.End); ok && w.hello.Slots >= runtime.GOMAXPROCS(0) {
		e.Busy()
	}
	if level := hclog.LevelFromString(w.hello.LogLevel); level != hclog.NoLevel {
		w.logger.SetLevel(level)
	}
	ready := w.ready()
	if err := w.start(base); err != nil {
		ready.Error = err.Error()
		if err := server.Refuse(ready); err != nil {
			return w.leave(err)
		}
		return exitStart
	}
	board := w.board()
	if board != nil {
		ready.Scoreboard = true
		ready.StdoutStart, _ = board.Written(scoreboard.Stdout, 1)
		ready.StderrStart, _ = board.Written(scoreboard.Stderr, 2)
	}
	if err := server.Serve(ready, board); err != nil {
		select {} // the goroutine above ends the process
	}
	for _, hook := range slices.Backward(w.plugin.stop) {
		hook(base)
	}
	return exitClean
}

func (w *worker) ready() ipc.Ready {
	return ipc.Ready{
		Plugin: w.plugin.name, Version: w.plugin.version, SDK: sdk, Wire: ipc.Version,
		Tasks: w.plugin.tasks(), Template: w.plugin.template,
	}
}

func (w *worker) start(ctx context.Context) error {
	for _, hook := range w.plugin.start {
		if err := hook(ctx); err != nil {
			return err
		}
	}
	return nil
}

// board maps the page shared with the supervisor, if there is one. Without it the
// worker serves all the same.
func (w *worker) board() *scoreboard.Board {
	if !w.hello.Scoreboard {
		return nil
	}
	f := os.NewFile(ipc.FDScoreboard, "scoreboard")
	defer f.Close()
	board, err := scoreboard.Open(f)
	if err != nil {
		w.logger.Warn("output is not attributed to tasks", "error", err)
		return nil
	}
	return board
}

// leave says why the conversation ended, if the supervisor should know, and
// returns the exit code.
func (w *worker) leave(err error) int {
	if errors.Is(err, wire.ErrMalformed) || errors.Is(err, wire.ErrTooLarge) {
		w.logger.Error("the supervisor sent what this worker does not understand", "error", err)
		return exitProblem
	}
	return exitClean
}
