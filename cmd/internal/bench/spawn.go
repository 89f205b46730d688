package bench

import (
	"context"
	"time"
)

// SpawnToReady starts a supervisor with one worker and returns how long it took from
// Start until the worker could take a task.
func (t Target) SpawnToReady(ctx context.Context) (time.Duration, error) {
	r, took, err := t.timedOpen(ctx)
	if err != nil {
		return 0, err
	}
	r.Close()
	return took, nil
}

func (t Target) timedOpen(ctx context.Context) (*Rig, time.Duration, error) {
	began := time.Now()
	r, err := t.Open(ctx, 1)
	return r, time.Since(began), err
}

// Spawns measures starts for d, one after the other.
func (t Target) Spawns(ctx context.Context, d time.Duration) (Latency, error) {
	h := newHistogram()
	end := time.Now().Add(d)
	for n := 0; n < leastSpawns || n < mostSpawns && time.Now().Before(end); n++ {
		took, err := t.SpawnToReady(ctx)
		if err != nil {
			return Latency{}, err
		}
		h.add(took)
	}
	return h.latency(), nil
}

// IdleRSS is the mean resident memory of the workers, in bytes.
func (r *Rig) IdleRSS() uint64 {
	var sum, n uint64
	for _, p := range r.s.Snapshot().Pools {
		for _, w := range p.Workers {
			sum += w.RSS
			n++
		}
	}
	return sum / max(1, n)
}

// Fresh is t with a new process for each task.
func (t Target) Fresh() Target {
	t.Pool.MaxTasksPerChild = 1
	return t
}
