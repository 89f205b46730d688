package pace

import (
	"context"
	"time"
)

// pause is how long to sleep at most between two looks at the clock.
const pause = 50 * time.Microsecond

// Steady calls submit for total tasks, rate of them a second: with how many have fallen due
// since the last call, and when it looked. Tasks that fell due while it slept start their
// clock when it wakes: its own lateness is nobody's fault, but a submit that blocks is.
func Steady(ctx context.Context, rate float64, total int, submit func(n int, due time.Time) error) error {
	began := time.Now()
	for sent := 0; sent < total; {
		now := time.Now()
		if due := min(total, 1+int(now.Sub(began).Seconds()*rate)); due > sent {
			if err := submit(due-sent, now); err != nil {
				return err
			}
			sent = due
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		next := began.Add(time.Duration(float64(sent) / rate * float64(time.Second)))
		sleep(ctx, max(pause, time.Until(next)))
	}
	return nil
}
