package policy

import "time"

const (
	// assumedLeak is the growth we are prepared for, in bytes a second. Looking
	// again when that leak would have used up the headroom keeps us ahead of one
	// half as fast with time to spare.
	assumedLeak = 2 << 30

	// idleLeak is the same for a worker without a task. Something it left running may
	// leak all the same, but a thousand idle workers must cost next to nothing.
	idleLeak = 1 << 30

	soonestSample = 4 * time.Millisecond // 4 MiB of a 1 GiB/s leak
	latestBusy    = 250 * time.Millisecond
	latestIdle    = 2 * time.Second
	unlimitedBusy = time.Second
	unlimitedIdle = 5 * time.Second
)

// SampleInterval is how soon to look at a worker's memory again. Near its hard
// limit (zero: none) a busy worker is watched closely, so that a leak of
// 1 GiB/s is noticed within a few MiB of it; an idle one is looked at less often, one without a limit for the record.
func SampleInterval(rss, limit uint64, busy bool) time.Duration {
	switch {
	case limit == 0 && busy:
		return unlimitedBusy
	case limit == 0:
		return unlimitedIdle
	case rss >= limit:
		return soonestSample
	}
	leak, latest := float64(assumedLeak), latestBusy
	if !busy {
		leak, latest = idleLeak, latestIdle
	}
	wait := float64(limit-rss) / leak * float64(time.Second)
	return max(time.Duration(min(wait, float64(latest))), soonestSample)
}
