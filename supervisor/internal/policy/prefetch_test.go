package policy

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPrefetchStaysWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Prefetch{Min: rapid.IntRange(1, 100).Draw(t, "min"), Max: rapid.IntRange(1, 5000).Draw(t, "max")}
		for range 20 {
			before := p.Size()
			p.Observe(rapid.IntRange(0, 1<<30).Draw(t, "n"), time.Duration(rapid.Int64Range(-10, 1<<40).Draw(t, "in")))
			size := p.Size()
			if size < p.Min || size > max(p.Min, p.Max) || size > 4*before {
				t.Fatalf("from %d to %d with bounds %d and %d", before, size, p.Min, p.Max)
			}
		}
	})
}

func TestPrefetchFollowsTheRate(t *testing.T) {
	p := Prefetch{Min: 2, Max: 4096}
	for range 10 {
		p.Observe(10_000, time.Second)
	}
	if got := p.Size(); got != 2500 {
		t.Errorf("10,000/s: %d tasks ahead, want 250 ms of them", got)
	}
	p.Observe(2, time.Second)
	if got := p.Size(); got != 2 {
		t.Errorf("2/s: %d tasks ahead, want no more than run", got)
	}
}
