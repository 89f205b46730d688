package policy

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBackoffCeiling(t *testing.T) {
	b := Backoff{Base: time.Second, Cap: 5 * time.Minute}
	for failures, want := range map[int]time.Duration{
		-1: 0, 0: 0, 1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second,
		9: 256 * time.Second, 10: 5 * time.Minute, math.MaxInt: 5 * time.Minute,
	} {
		if got := b.Delay(failures, fixed(1)); got != want {
			t.Errorf("after %d failures: at most %v, want %v", failures, got, want)
		}
		if got := b.Delay(failures, fixed(0)); got != 0 {
			t.Errorf("after %d failures: at least %v, want 0", failures, got)
		}
	}
}

func TestBackoffStaysWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Backoff{
			Base: time.Duration(rapid.Int64Range(0, math.MaxInt64).Draw(t, "base")),
			Cap:  time.Duration(rapid.Int64Range(0, math.MaxInt64/2).Draw(t, "cap")),
		}
		d := b.Delay(rapid.IntRange(1, math.MaxInt).Draw(t, "failures"), drawn(t))
		if d < 0 || d > b.Cap {
			t.Fatalf("%+v: delay %v", b, d)
		}
	})
}

// Full jitter fills the whole interval evenly.
func TestBackoffIsUniform(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2)).Float64
	b := Backoff{Base: time.Second, Cap: time.Minute}
	const rounds = 20_000
	var buckets [10]int
	for range rounds {
		buckets[int(b.Delay(3, rnd)*10/(4*time.Second))]++
	}
	for i, n := range buckets {
		if n < rounds/10*9/10 || n > rounds/10*11/10 {
			t.Errorf("tenth %d of the interval got %d of %d", i, n, rounds)
		}
	}
}
