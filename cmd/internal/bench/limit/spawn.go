package limit

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

// FirstByte starts the program bare and returns how long it took until its first byte
// had arrived.
func FirstByte(ctx context.Context, bare string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, bare, "byte")
	r, w, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	cmd.Stdout = w
	began := time.Now()
	err = cmd.Start()
	w.Close()
	if err != nil {
		return 0, err
	}
	var b [1]byte
	_, readErr := r.Read(b[:])
	took := time.Since(began)
	if err := cmd.Wait(); err != nil {
		return 0, fmt.Errorf("%s byte: %w", bare, err)
	}
	return took, readErr
}

// SpawnRate starts processes of the program bare that exit at once, and waits for them, as
// many at a time as parallel says, for d. It returns how many each second.
func SpawnRate(ctx context.Context, bare string, parallel int, d time.Duration) (float64, error) {
	began := time.Now()
	end := began.Add(d)
	var n atomic.Int64
	errs := make([]error, parallel)
	var group sync.WaitGroup
	for i := range parallel {
		group.Go(func() {
			for errs[i] == nil && time.Now().Before(end) {
				errs[i] = exec.CommandContext(ctx, bare, "exit").Run()
				n.Add(1)
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return 0, fmt.Errorf("%s exit: %w", bare, err)
		}
	}
	return float64(n.Load()) / time.Since(began).Seconds(), nil
}
