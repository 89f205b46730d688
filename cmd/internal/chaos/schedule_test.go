package chaos

import (
	"math"
	"slices"
	"testing"
	"time"
)

func drawn(seed uint64, rate float64, n int, faults ...Fault) []Strike {
	var all []Strike
	for s := range schedule(seed, rate, faults, func(f Fault) time.Duration { return f.by().gap }) {
		if all = append(all, s); len(all) == n {
			break
		}
	}
	return all
}

func TestScheduleFollowsFromTheSeed(t *testing.T) {
	a, b, c := drawn(1, 50, 500, Faults()...), drawn(1, 50, 500, Faults()...), drawn(2, 50, 500, Faults()...)
	if !slices.Equal(a, b) {
		t.Error("the same seed gave other strikes")
	}
	if slices.Equal(a, c) {
		t.Error("another seed gave the same strikes")
	}
}

func TestScheduleKeepsItsRate(t *testing.T) {
	const n = 20_000
	all := drawn(3, 50, n, Kill, Segv)
	if rate := n / all[n-1].At.Seconds(); math.Abs(rate-50) > 2 {
		t.Errorf("%.1f strikes a second", rate)
	}
	kills := 0
	for i, s := range all {
		if s.N != i+1 {
			t.Fatalf("strike %d has number %d", i, s.N)
		}
		if s.Fault == Kill {
			kills++
		}
	}
	if math.Abs(float64(kills)/n-0.5) > 0.02 {
		t.Errorf("%d of %d strikes are kills", kills, n)
	}
}

func TestSlowFaultsHaveAGap(t *testing.T) {
	last := map[Fault]time.Duration{}
	for _, s := range drawn(4, 100, 5000, Faults()...) {
		if before, again := last[s.Fault]; again && s.At-before < s.Fault.by().gap {
			t.Fatalf("strike %d, %s, comes %v after the last", s.N, s.Fault, s.At-before)
		}
		last[s.Fault] = s.At
	}
	if len(last) != len(Faults()) {
		t.Errorf("drawn were only %v", last)
	}
	if all := drawn(5, 100, 10, Start); all[9].At < 90*time.Second {
		t.Errorf("ten starts within %v", all[9].At)
	}
}
