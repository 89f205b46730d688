package policy

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestRestartDelays(t *testing.T) {
	for score, want := range map[float64]time.Duration{
		0: 0, 3: 0,
		4: 200 * time.Millisecond, 5: 400 * time.Millisecond, 11: 25600 * time.Millisecond,
		12: 30 * time.Second, 1e9: 30 * time.Second,
	} {
		if got := DefaultRestart.Delay(score, fixed(0.5)); got != want {
			t.Errorf("at score %v: %v, want %v", score, got, want)
		}
	}
	if got := DefaultRestart.Delay(math.Nextafter(3, 4), fixed(0.5)); got < 99*time.Millisecond {
		t.Errorf("just above the free budget: %v", got)
	}
}

func TestRestartJitterIsAQuarterToBothSides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		score := rapid.Float64Range(3.0001, 1e6).Draw(t, "score")
		middle := DefaultRestart.Delay(score, fixed(0.5))
		low, high := DefaultRestart.Delay(score, fixed(0)), DefaultRestart.Delay(score, fixed(1))
		got := DefaultRestart.Delay(score, drawn(t))
		if got < low || got > high {
			t.Fatalf("%v is outside %v to %v", got, low, high)
		}
		if d := low - middle*3/4; d.Abs() > 2 {
			t.Fatalf("lowest %v of %v", low, middle)
		}
		if d := high - middle*5/4; d.Abs() > 2 {
			t.Fatalf("highest %v of %v", high, middle)
		}
	})
}
