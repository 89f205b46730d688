package main

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// watching is what idle workers cost their supervisor.
func (l *lab) watching() []group {
	return []group{{
		rows:    []row{{fmt.Sprintf("one core's share to watch %d idle workers", l.watched), percent}},
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
	return []float64{100 * (ownCPU() - used).Seconds() / time.Since(began).Seconds()}, nil
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
