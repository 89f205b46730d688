package policy

import "time"

// RestartPolicy is the delay before a crashing pool's next spawn.
type RestartPolicy struct {
	Free float64       // a failure score up to this costs no delay
	Base time.Duration // delay just above Free; doubles with every further point
	Cap  time.Duration // longest delay, before jitter
}

// DefaultRestart lets three quick failures pass, then waits 100 ms, 200 ms, ... 30 s.
var DefaultRestart = RestartPolicy{Free: 3, Base: 100 * time.Millisecond, Cap: 30 * time.Second}

// restartJitter spreads a delay by this fraction to both sides, so that pools
// that broke together do not respawn together for ever.
const restartJitter = 0.25

// Delay before the next spawn at that failure score.
func (p RestartPolicy) Delay(score float64, rnd func() float64) time.Duration {
	if score <= p.Free {
		return 0
	}
	spread := 1 + restartJitter*(2*rnd()-1)
	return time.Duration(spread * grow(p.Base, p.Cap, score-p.Free))
}
