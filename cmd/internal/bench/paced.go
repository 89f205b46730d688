package bench

import (
	"context"
	"sync"
	"time"

	"github.com/brood-run/brood/cmd/internal/bench/pace"
	"github.com/brood-run/brood/supervisor"
)

// arrival is a task that was due and is in flight.
type arrival struct {
	handle *supervisor.Handle
	due    time.Time
}

// Paced submits tasks at a steady rate for d, whether or not the earlier ones have
// been answered, and returns how long each took. Results are taken in the order of
// submission.
func (r *Rig) Paced(ctx context.Context, rate float64, d time.Duration) (Latency, Tally, error) {
	total := max(1, int(rate*d.Seconds()))
	in := make(chan arrival, total) // so that nobody waits for the reader
	h, sum := newHistogram(), Tally{}
	var failed error
	var reader sync.WaitGroup
	reader.Go(func() {
		for a := range in {
			result, err := a.handle.Wait(ctx)
			if err != nil {
				failed = err
				return
			}
			h.add(time.Since(a.due))
			sum.add(&result, &r.target)
		}
	})
	err := pace.Steady(ctx, rate, total, func(n int, due time.Time) error {
		for range n {
			handle, err := r.s.Submit(ctx, r.task())
			if err != nil {
				return err
			}
			in <- arrival{handle, due}
		}
		return nil
	})
	close(in)
	reader.Wait()
	if err == nil {
		err = failed
	}
	return h.latency(), sum, err
}
