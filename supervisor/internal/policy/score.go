package policy

import (
	"math"
	"time"
)

// Score counts failures and forgets them: it halves every HalfLife. Many failures
// in a short time make it high; the same number over a day does not. The formula
// is that of the suture library: score * 0.5^(dt/half-life) + weight.
type Score struct {
	HalfLife time.Duration

	value float64
	at    time.Time // when value was right
}

// Add counts a failure of that weight.
func (s *Score) Add(now time.Time, weight float64) {
	s.value = s.Value(now) + weight
	if now.After(s.at) {
		s.at = now
	}
}

// Value is the score at a time. Time that runs backwards does not raise it.
func (s *Score) Value(now time.Time) float64 {
	if s.value == 0 || !now.After(s.at) {
		return s.value
	}
	if s.HalfLife <= 0 {
		return 0
	}
	return s.value * math.Exp2(-float64(now.Sub(s.at))/float64(s.HalfLife))
}
