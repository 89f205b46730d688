package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/brood-run/brood/cmd/internal/bench"
	"github.com/brood-run/brood/cmd/internal/bench/peer"
	"github.com/brood-run/brood/supervisor"
)

// lab is where everything is and how long to measure.
type lab struct {
	mode   string
	self   string // this program
	bin    string
	dir    string       // for temporary files
	python *peer.Python // nil if there is none

	half float64 // brood's half load, once it is known

	span    time.Duration // of one measurement
	rounds  int
	starts  int           // processes for one median of start times
	kills   int           // workers killed in one round
	lines   int           // tasks in a file
	stream  int           // tasks in the stream that must not make the supervisor grow
	watched int           // idle workers
	watch   time.Duration // long enough for the rarest look at each
	execs   int           // commands run by the exec plugin
	long    time.Duration // a task that short ones queue up behind
	short   int           // how many of those, a millisecond each

	served64 int // tasks through a server in one round
	queued   int // tasks that wait in one
	restarts int // of that one, in each way
}

func newLab(ctx context.Context, mode, bin string) (*lab, error) {
	l := &lab{mode: mode}
	switch mode {
	case "quick":
		l.span, l.rounds, l.starts, l.kills = 150*time.Millisecond, 3, 10, 5
		l.lines, l.stream, l.watched, l.watch, l.execs = 100_000, 1_000_000, 200, 5*time.Second, 1000
		l.long, l.short = time.Second, 200
		l.served64, l.queued, l.restarts = 20_000, 100_000, 1
	case "full":
		l.span, l.rounds, l.starts, l.kills = 500*time.Millisecond, 5, 50, 20
		l.lines, l.stream, l.watched, l.watch, l.execs = 1_000_000, 10_000_000, manyIdle, 20*time.Second, 2000
		l.long, l.short = 5*time.Second, 1000
		l.served64, l.queued, l.restarts = 100_000, 1_000_000, 3
	default:
		return nil, fmt.Errorf("BENCH=%s: expected quick or full", mode)
	}
	var err error
	if l.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if l.bin, err = filepath.Abs(bin); err != nil {
		return nil, err
	}
	for _, path := range []string{l.brood(), l.bare(), l.plugin("echo"), l.plugin("exec"), l.plugin("faulty")} {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("%w; `make bench` builds it", err)
		}
	}
	if l.dir, err = os.MkdirTemp("", "brood-bench-"); err != nil {
		return nil, err
	}
	l.python, err = peer.FindPython(ctx, l.dir)
	if errors.Is(err, peer.ErrMissing) {
		err = nil // its cells will say so
	}
	return l, err
}

func (l *lab) close() { _ = os.RemoveAll(l.dir) } // the system clears what is left there

func (l *lab) brood() string             { return filepath.Join(l.bin, "brood") }
func (l *lab) bare() string              { return filepath.Join(l.bin, "bench", "bare") }
func (l *lab) plugin(name string) string { return filepath.Join(l.bin, "plugins", name) }

// cores is how many workers are enough for work of the processor.
func (l *lab) cores() int { return runtime.NumCPU() }

// echo is the target of most rows.
func (l *lab) echo(payload []byte) bench.Target {
	return bench.Target{Pool: supervisor.PoolConfig{Plugin: l.plugin("echo")}, Payload: payload, Echo: true}
}

// payload is the same for every contestant.
func payload(size int) []byte { return slices.Repeat([]byte("x"), size) }

func (l *lab) header() string {
	python := "no Python"
	if l.python != nil {
		python = "Python " + l.python.Version
	}
	return strings.Join([]string{
		fmt.Sprintf("make bench BENCH=%s", l.mode),
		fmt.Sprintf("%s, %s", bench.ThisMachine(), python),
		fmt.Sprintf("Medians of %d rounds of %v, contestants in turn; ± is half of what brood's rounds were apart.", l.rounds, l.span),
		"brood is = how many times as good. Limits are what this machine does without a supervisor. Pipe loop:",
		"between two Go programs, frames with ids, a table of pending tasks, batched writes, the same payload and",
		"window; 2 pipe loops are two side by side, each with a program of its own at its other end.",
		"gRPC: go-plugin's own transport. A short task takes 1 ms; ideal: one of two workers does them all.",
		"serve: API over loopback, two callers, batches of 500, two isolated workers, JetStream in the server with its",
		"default sync; broker alone: without API and workers. References are not run here: they were measured on a",
		"machine of this kind with two cores, and do not isolate tasks.",
		"",
	}, "\n")
}

func (l *lab) groups() []group {
	return slices.Concat(l.throughput(), l.files(), l.trips(), l.fairness(), l.life(), l.faults(), l.watching(), l.commands(), l.streaming(), l.serving())
}
