package bench

import (
	"context"
	"time"
)

// Alone runs one task at a time for d, at least one, and returns how long each took
// from Submit to its result.
func (r *Rig) Alone(ctx context.Context, d time.Duration) (Latency, Tally, error) {
	var warm, sum Tally
	for end := time.Now().Add(d / 4); ; {
		if err := r.one(ctx, &warm); err != nil {
			return Latency{}, sum, err
		}
		if !time.Now().Before(end) {
			break
		}
	}
	h := newHistogram()
	began := time.Now()
	for end := began.Add(d); ; {
		if err := r.one(ctx, &sum); err != nil {
			return Latency{}, sum, err
		}
		now := time.Now()
		h.add(now.Sub(began))
		if began = now; !now.Before(end) {
			break
		}
	}
	sum.merge(warm)
	return h.latency(), sum, nil
}
