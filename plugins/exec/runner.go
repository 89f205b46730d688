package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	// termGrace is how long a cancelled command has between SIGTERM and SIGKILL.
	// It stays below the time a worker is given to answer a cancellation.
	termGrace = 2 * time.Second
	// outputGrace is how long output is read after a command has ended, when one
	// of its children still holds the pipe.
	outputGrace = 250 * time.Millisecond
)

// runner runs commands, several at a time if asked to.
type runner struct {
	null  *os.File // stdin of commands that are given none
	env   []string
	limit int // bytes kept of each output stream

	// mu is held from the fork of a command until it is in the table, and while
	// strays are told from commands by that table.
	mu      sync.Mutex
	running map[int]struct{} // pids of the commands
	last    uint64           // number of the latest marker
}

func newRunner(limit int) (*runner, error) {
	if err := adoptOrphans(); err != nil {
		return nil, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, fmt.Errorf("commands would have no stdin: %w", err)
	}
	return &runner{null: null, env: baseEnv(), limit: limit, running: map[int]struct{}{}}, nil
}

// close releases what newRunner took. No run may be under way.
func (r *runner) close() { r.null.Close() }

// run runs one command to its end. The error is for commands that could not be
// started; how others ended is in the outcome. When it returns, no process of
// the command is left.
func (r *runner) run(ctx context.Context, c command) (*outcome, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	// The kernel ties Pdeathsig to the thread which started the command: it must not be let
	// go of by the Go runtime before the command has ended.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	path, err := lookup(c)
	if err != nil {
		return nil, err
	}
	out := &outcome{stdout: capture{limit: r.limit}, stderr: capture{limit: r.limit, tail: true}}
	s, err := openStreams(r.null, c.stdin)
	if err != nil {
		return nil, fmt.Errorf("no pipes for %s: %w", c.argv[0], err)
	}
	defer s.close()
	p, err := r.start(path, c, s)
	if err != nil {
		return nil, startError(c, err)
	}
	s.begin(out, p)
	waitOrStop(ctx, p, s)
	if err := r.bury(p); err != nil {
		return nil, fmt.Errorf("wait for %s: %w", c.argv[0], err)
	}
	out.state = p.state
	return out, nil
}

// process is a command that runs. It belongs to the run that started it.
type process struct {
	*os.Process
	marker string           // unique among the commands of this worker
	pidfd  int              // tells when it has ended; -1 if there is none
	state  *os.ProcessState // once it is reaped
}

// start starts the command and enters it into the table.
func (r *runner) start(path string, c command, s *streams) (*process, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	marker := strconv.Itoa(os.Getpid()) + "." + strconv.FormatUint(r.last, 10)
	p := &process{marker: marker, pidfd: -1}
	var err error
	p.Process, err = os.StartProcess(path, c.argv, &os.ProcAttr{
		Dir: c.dir, Env: environment(r.env, c, marker), Files: s.theirs(), Sys: groupAttr(&p.pidfd),
	})
	if err != nil {
		return nil, err
	}
	r.running[p.Pid] = struct{}{}
	return p, nil
}

// waitOrStop returns when the command has ended, by itself or because ctx did,
// and its output has been read.
func waitOrStop(ctx context.Context, p *process, s *streams) {
	ended, stopped := make(chan struct{}), make(chan struct{})
	dismiss := context.AfterFunc(ctx, func() {
		defer close(stopped)
		p.stop(ended)
	})
	s.awaitExit(p)
	close(ended)
	if !dismiss() {
		<-stopped
		p.signalGroup(syscall.SIGKILL) // who still holds the pipe is not waited for either
	}
	s.drain(outputGrace)
}

// stop asks the command's process group to end, and kills it when it does not.
func (p *process) stop(ended <-chan struct{}) {
	p.signalGroup(syscall.SIGTERM)
	timer := time.NewTimer(termGrace)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
		p.signalGroup(syscall.SIGKILL)
	}
}

// signalGroup signals all processes of the group. That none is left is no error.
func (p *process) signalGroup(s syscall.Signal) { _ = syscall.Kill(-p.Pid, s) }

// bury kills what is left of the command's group while its number cannot be anybody
// else's, reaps the command, then looks for what had left the group.
func (r *runner) bury(p *process) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.signalGroup(syscall.SIGKILL)
	err := p.reap()
	delete(r.running, p.Pid)
	r.sweep(p)
	return err
}
