package policy

import "time"

const (
	// assumedLeak is the growth we are prepared for, in bytes a second. Looking
	// again when that leak would have used up the headroom keeps us ahead of one
	// half as fast with time to spare.
	assumedLeak = 2 << 30

	soonestSample = 4 * time.Millisecond // 4 MiB of a 1 GiB/s leak
	latestLimited = 250 * time.Millisecond
	sampleBusy    = time.Second
	sampleIdle    = 2 * time.Second
)

// SampleInterval is how soon to look at a worker's memory again. Near its hard
// limit (zero: none) a busy worker is watched closely, so that a leak of
// 1 GiB/s is noticed within a few MiB of it; everybody else is looked at for the record.
func SampleInterval(rss, limit uint64, busy bool) time.Duration {
	switch {
	case !busy:
		return sampleIdle
	case limit == 0:
		return sampleBusy
	case rss >= limit:
		return soonestSample
	}
	headroom := float64(limit-rss) / assumedLeak * float64(time.Second)
	return min(max(time.Duration(min(headroom, float64(latestLimited))), soonestSample), latestLimited)
}
