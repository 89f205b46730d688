package main

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/brood-run/brood/child"
)

type leakParams struct {
	MiBPerS int `json:"mib_per_s"`
	HoldMS  int `json:"hold_ms"`
}

type leaked struct {
	MiB int `json:"mib"`
}

// hoard keeps what leak took until the process ends.
type hoard struct {
	mu    sync.Mutex
	pages [][]byte
}

const (
	leakTick = time.Millisecond
	// leakStep is the unit in which memory is taken and touched.
	leakStep = 64 << 10
	// leakBurst bounds what a tick that came late makes up for, so that growth
	// stays smooth on a busy machine.
	leakBurst = 4 << 20
)

// leak grows by steps at the rate asked for. The memory comes straight from the
// kernel: the garbage collector would add to it in bursts of its own.
func (h *hoard) leak(ctx context.Context, p leakParams) (leaked, error) {
	if p.MiBPerS <= 0 || p.HoldMS < 0 {
		return leaked{}, child.Permanent(fmt.Errorf("mib_per_s is %d and hold_ms %d; the rate must be positive, the time not negative", p.MiBPerS, p.HoldMS))
	}
	var end <-chan time.Time // nil, and so never, unless there is a time to hold
	if p.HoldMS > 0 {
		timer := time.NewTimer(time.Duration(p.HoldMS) * time.Millisecond)
		defer timer.Stop()
		end = timer.C
	}
	tick := time.NewTicker(leakTick)
	defer tick.Stop()
	taken, begun := 0, time.Now()
	for {
		select {
		case <-ctx.Done():
			return leaked{}, ctx.Err()
		case <-end:
			return leaked{taken >> 20}, nil
		case <-tick.C:
		}
		due := int(time.Since(begun).Seconds() * float64(p.MiBPerS<<20))
		for until := min(due, taken+leakBurst); taken+leakStep <= until; taken += leakStep {
			if err := h.take(leakStep); err != nil {
				return leaked{}, err
			}
		}
	}
}

// take adds n bytes that are really there.
func (h *hoard) take(n int) error {
	b, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("no more memory to take: %w", err)
	}
	for i := 0; i < n; i += 4096 {
		b[i] = 1
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pages = append(h.pages, b)
	return nil
}
