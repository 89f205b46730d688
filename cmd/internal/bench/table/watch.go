package main

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// manyIdle is the number of idle workers that the figure is for.
const manyIdle = 1000

// watching is what idle workers cost their supervisor.
func (l *lab) watching() []group {
	name := fmt.Sprintf("core share to watch %d workers", manyIdle)
	if l.watched != manyIdle {
		name += fmt.Sprintf(" (%dx %d)", manyIdle/l.watched, l.watched)
	}
	return []group{{
		rows:    []row{{name, percent}},
		entries: []entry{{"", ours, l.share}},
		rounds:  1,
	}}
}

// share is this process's own CPU time while it has nothing to do but supervise.
func (l *lab) share(ctx context.Context) ([]float64, error) {
	rig, err := l.echo(nil).Open(ctx, l.watched)
	if err != nil {
		return nil, err
	}
	defer rig.Close()
	pause(ctx, l.watch/2) // starting them leaves garbage to collect
	began, used := time.Now(), ownCPU()
	pause(ctx, l.watch)
	share := 100 * (ownCPU() - used).Seconds() / time.Since(began).Seconds()
	return []float64{share * manyIdle / float64(l.watched)}, nil
}

func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it has no reason to fail
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
