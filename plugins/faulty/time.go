package main

import (
	"context"
	"time"
)

type duration struct {
	MS int `json:"ms"`
}

func (d duration) length() time.Duration { return time.Duration(d.MS) * time.Millisecond }

// sleep waits, and gives up when it is cancelled.
func sleep(ctx context.Context, d duration) (duration, error) {
	timer := time.NewTimer(d.length())
	defer timer.Stop()
	select {
	case <-timer.C:
		return d, nil
	case <-ctx.Done():
		return duration{}, ctx.Err()
	}
}

// spin burns a CPU and looks at nothing but the clock.
func spin(_ context.Context, d duration) (duration, error) {
	for end := time.Now().Add(d.length()); time.Now().Before(end); {
	}
	return d, nil
}

func hang(context.Context, struct{}) (empty, error) {
	hangForever()
	return empty{}, nil
}

// hangForever has a name that is easy to find in a stack dump. It sleeps rather than
// block on a channel, which the runtime would report as a deadlock where no
// other goroutine runs.
//
//go:noinline
func hangForever() {
	for {
		time.Sleep(time.Hour)
	}
}
