package policy

import "time"

const (
	// prefetchWork is how much work a supervisor takes from a broker ahead of its workers: enough
	// to hide the round trip to the broker, little enough that others get their share.
	prefetchWork = 250 * time.Millisecond
	// prefetchGrowth bounds how fast it comes to trust that tasks are short.
	prefetchGrowth = 4
)

// Prefetch is how many tasks to hold leases of: as many as are done in 250 ms, at least Min. It
// grows by a factor of 4 at most from one observation to the next, and shrinks at once.
type Prefetch struct {
	Min int // tasks that can run at the same time
	Max int

	size int
}

// Observe tells that n tasks were done in a time.
func (p *Prefetch) Observe(n int, in time.Duration) {
	done := float64(n) * float64(prefetchWork) / float64(max(in, time.Microsecond))
	p.size = int(min(done, float64(prefetchGrowth*p.Size())))
}

// Size is how many to hold now; Min while nothing has been observed.
func (p *Prefetch) Size() int { return min(max(p.size, p.Min), max(p.Min, p.Max)) }
