package policy

import (
	"math"
	"time"
)

// Backoff is the delay before a task's next attempt: exponential with full
// jitter. Spreading over the whole interval, not around its end, is what keeps
// tasks that failed together from coming back together.
type Backoff struct {
	Base time.Duration // upper bound of the first delay
	Cap  time.Duration // upper bound of any delay
}

// Delay after that many failures, 1 for the first: uniform between zero and
// base * 2^(failures-1), at most the cap.
func (b Backoff) Delay(failures int, rnd func() float64) time.Duration {
	if failures < 1 {
		return 0
	}
	return time.Duration(rnd() * grow(b.Base, b.Cap, float64(failures-1)))
}

// grow is base * 2^doublings, at most limit. In floating point, where it cannot
// overflow; 62 doublings take the shortest base beyond any limit.
func grow(base, limit time.Duration, doublings float64) float64 {
	return min(float64(base)*math.Exp2(min(doublings, 62)), float64(limit))
}
