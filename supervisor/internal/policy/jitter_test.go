package policy

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestJitterStaysWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 1<<50).Draw(t, "limit")
		fraction := rapid.Float64Range(0, 1).Draw(t, "fraction")
		got := Jitter(limit, fraction, drawn(t))
		// One for the rounding of large numbers in floating point.
		if lowest := int(float64(limit)*(1-fraction)) - 1; got < 1 || got < lowest || got > limit {
			t.Fatalf("%d became %d, want %d to %d", limit, got, lowest, limit)
		}
	})
}

// Jitter must really be there: every value as often as every other.
func TestJitterIsUniform(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4)).Float64
	for limit, values := range map[int]int{5: 1, 10: 2, 100: 11, 19: 2} {
		const rounds = 10_000
		seen := map[int]int{}
		for range rounds {
			seen[Jitter(limit, 0.1, rnd)]++
		}
		if len(seen) != values {
			t.Errorf("a tenth of %d gave %d values, want %d: %v", limit, len(seen), values, seen)
		}
		for v, n := range seen {
			if n < rounds/values*8/10 || n > rounds/values*12/10 {
				t.Errorf("limit %d: %d came %d times of %d", limit, v, n, rounds)
			}
		}
	}
}

func TestJitterOfDurationsAndSizes(t *testing.T) {
	if got := Jitter(time.Hour, 0.1, fixed(0.5)); got < 56*time.Minute || got > 58*time.Minute {
		t.Errorf("half of a tenth off an hour is %v", got)
	}
	if got := Jitter(uint64(1000), 0.5, fixed(0.9999)); got != 500 {
		t.Errorf("half off 1000 is %d", got)
	}
	if Jitter(0, 0.1, fixed(0.5)) != 0 || Jitter(7, -1, fixed(0.5)) != 7 || Jitter(1, 1, fixed(0.99)) != 1 {
		t.Error("no limit, no jitter or a limit of one was changed")
	}
}
