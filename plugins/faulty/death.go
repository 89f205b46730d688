package main

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/brood-run/brood/child"
)

type exitParams struct {
	Code int `json:"code"`
}

func exit(_ context.Context, p exitParams) (empty, error) {
	os.Exit(p.Code)
	return empty{}, nil
}

type signalParams struct {
	Signal signalNumber `json:"signal"`
}

// deathWait is how long a deadly signal may take to work: writing a core file of
// a large process is slow.
const deathWait = 10 * time.Second

// die sends this process a signal that really ends it. The Go runtime turns some
// signals into a panic trace and exit code 2; a program in C would just die, and that
// is what a supervisor must be able to tell.
func die(ctx context.Context, p signalParams) (empty, error) {
	signal := syscall.Signal(p.Signal)
	restoreDefault(signal)
	if err := syscall.Kill(os.Getpid(), signal); err != nil {
		return empty{}, child.Permanent(fmt.Errorf("send %s to this process: %w", signal, err))
	}
	timer := time.NewTimer(deathWait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return empty{}, child.Permanent(fmt.Errorf("signal %d (%s) does not end a process", int(signal), signal))
	case <-ctx.Done():
		return empty{}, ctx.Err()
	}
}

// stop stops the whole process, heartbeats included, until somebody sends SIGCONT.
func stop(ctx context.Context, _ struct{}) (empty, error) {
	if err := syscall.Kill(os.Getpid(), syscall.SIGSTOP); err != nil {
		return empty{}, fmt.Errorf("send SIGSTOP to this process: %w", err)
	}
	// The signal may reach this thread a moment after the call has returned: no
	// answer may slip out before.
	select {
	case <-time.After(100 * time.Millisecond):
	case <-ctx.Done():
	}
	return empty{}, nil
}
