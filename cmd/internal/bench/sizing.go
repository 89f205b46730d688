package bench

import (
	"math"
	"time"
)

// Utilisation is the share of their time that the workers of a pool should be busy:
// above it, waiting times grow steeply.
const Utilisation = 0.8

// Sizing is how many workers an arrival rate needs.
type Sizing struct {
	Rate        float64       // tasks a second
	Busy        time.Duration // mean time that a task occupies a worker, on the way included
	Utilisation float64
	Workers     int
	Exceeds     float64 // the most tasks a second that were measured, if Rate is above that
}

// Occupancy is the mean time a task occupies one slot of a worker when the workers
// are saturated.
func Occupancy(throughput float64, workers, slots int) time.Duration {
	if throughput <= 0 {
		return 0
	}
	return time.Duration(float64(workers*slots) / throughput * float64(time.Second))
}

// Size applies Little's law: tasks in workers = arrival rate x mean time in a worker. Each
// worker holds slots of them and should be busy for Utilisation of its time.
func Size(rate float64, busy time.Duration, slots int, best float64) Sizing {
	need := rate * busy.Seconds() / Utilisation / float64(max(1, slots))
	s := Sizing{Rate: rate, Busy: busy, Utilisation: Utilisation, Workers: max(1, int(math.Ceil(need-1e-9)))}
	if rate > best {
		s.Exceeds = best
	}
	return s
}
