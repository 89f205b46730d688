package bench

import (
	"context"
	"sync"
	"time"

	"github.com/brood-run/brood/supervisor"
)

// pause is how long the pacer sleeps at most between two looks at the clock.
const pause = 50 * time.Microsecond

// arrival is a task that was due and is in flight.
type arrival struct {
	handle *supervisor.Handle
	due    time.Time
}

// Paced submits tasks at a steady rate for d, whether or not the earlier ones have
// been answered, and returns how long each took. Tasks that fell due while the pacer
// slept start their clock when it wakes: its own lateness is not the supervisor's, but
// a Submit that blocks is. Results are taken in the order of submission.
func (r *Rig) Paced(ctx context.Context, rate float64, d time.Duration) (Latency, Tally, error) {
	total := max(1, int(rate*d.Seconds()))
	in := make(chan arrival, total)
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
	err := r.arrive(ctx, rate, total, in)
	close(in)
	reader.Wait()
	if err == nil {
		err = failed
	}
	return h.latency(), sum, err
}

// arrive submits the tasks as they fall due. The channel has room for all of them.
func (r *Rig) arrive(ctx context.Context, rate float64, total int, in chan<- arrival) error {
	began := time.Now()
	for sent := 0; sent < total; {
		now := time.Now()
		due := min(total, 1+int(now.Sub(began).Seconds()*rate))
		for ; sent < due; sent++ {
			handle, err := r.s.Submit(ctx, r.task())
			if err != nil {
				return err
			}
			in <- arrival{handle, now}
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		next := began.Add(time.Duration(float64(sent) / rate * float64(time.Second)))
		sleep(ctx, max(pause, time.Until(next)))
	}
	return nil
}
