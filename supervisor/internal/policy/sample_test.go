package policy

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

const (
	mib = 1 << 20
	gib = 1 << 30
)

func TestSampleInterval(t *testing.T) {
	for _, test := range []struct {
		rss, limit uint64
		busy       bool
		want       time.Duration
	}{
		{gib, 0, true, time.Second},
		{gib, 0, false, 5 * time.Second},
		{gib, 4 * gib, false, 2 * time.Second},
		{gib, gib + 256*mib, false, 250 * time.Millisecond},
		{0, 1 << 62, true, 250 * time.Millisecond},
		{gib, gib + 256*mib, true, 125 * time.Millisecond},
		{gib, gib + 1, true, 4 * time.Millisecond},
		{gib, gib, true, 4 * time.Millisecond},
		{2 * gib, gib, true, 4 * time.Millisecond},
	} {
		if got := SampleInterval(test.rss, test.limit, test.busy); got != test.want {
			t.Errorf("%d of %d, busy %v: %v, want %v", test.rss, test.limit, test.busy, got, test.want)
		}
	}
}

// A leak of up to 1 GiB/s is noticed less than 16 MiB above the limit.
func TestLeakIsNoticedInTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Uint64Range(1, 64*gib).Draw(t, "limit")
		rss := rapid.Uint64Range(0, limit-1).Draw(t, "start")
		perSecond := rapid.Uint64Range(mib, gib).Draw(t, "leak")
		for looks := 0; rss < limit; looks++ {
			if looks > 10_000_000 {
				t.Fatal("looked ten million times")
			}
			wait := SampleInterval(rss, limit, true)
			rss += uint64(float64(perSecond) * wait.Seconds())
		}
		if rss-limit >= 16*mib {
			t.Fatalf("noticed %d MiB above the limit", (rss-limit)/mib)
		}
	})
}
