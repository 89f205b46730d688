package policy

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestScoreHalves(t *testing.T) {
	at := time.Unix(1000, 0)
	s := Score{HalfLife: time.Minute}
	s.Add(at, 4)
	for after, want := range map[time.Duration]float64{
		0: 4, time.Minute: 2, 2 * time.Minute: 1, -time.Hour: 4, 1000 * time.Hour: 0,
	} {
		if got := s.Value(at.Add(after)); math.Abs(got-want) > 1e-9 {
			t.Errorf("after %v: %v, want %v", after, got, want)
		}
	}
	s.Add(at.Add(time.Minute), 1)
	if got := s.Value(at.Add(2 * time.Minute)); math.Abs(got-1.5) > 1e-9 {
		t.Errorf("got %v, want (4/2+1)/2", got)
	}
}

// A failure reported late counts like one just now; it does not age the others.
func TestScoreOfALateReport(t *testing.T) {
	at := time.Unix(1000, 0)
	s := Score{HalfLife: time.Minute}
	s.Add(at, 1)
	s.Add(at.Add(-time.Hour), 1)
	if got := s.Value(at.Add(time.Minute)); math.Abs(got-1) > 1e-9 {
		t.Errorf("got %v, want (1+1)/2", got)
	}
}

func TestScoreWithoutMemory(t *testing.T) {
	var s Score
	s.Add(time.Unix(1, 0), 1)
	if a, b := s.Value(time.Unix(1, 0)), s.Value(time.Unix(2, 0)); a != 1 || b != 0 {
		t.Errorf("got %v and %v, want 1 and then 0", a, b)
	}
}

// Whatever the order of times, a score is finite, never negative and never more
// than what was added.
func TestScoreIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Score{HalfLife: time.Duration(rapid.Int64Range(1, 1<<40).Draw(t, "half-life"))}
		sum := 0.0
		for range rapid.IntRange(0, 20).Draw(t, "failures") {
			now := time.Unix(0, rapid.Int64Range(0, 1<<50).Draw(t, "now"))
			w := rapid.Float64Range(0, 10).Draw(t, "weight")
			s.Add(now, w)
			sum += w
			if v := s.Value(now); !(v >= w && v <= sum+1e-9) {
				t.Fatalf("score %v after %v in all, %v just now", v, sum, w)
			}
		}
	})
}
