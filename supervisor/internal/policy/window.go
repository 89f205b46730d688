package policy

import (
	"math"
	"time"
)

const (
	// pipeWork is how much work should lie in a worker's pipe: long enough to hide
	// the round trip to the supervisor (some 20 us, a few times that on a loaded
	// machine), short enough that no task waits noticeably behind another.
	pipeWork = 250 * time.Microsecond
	// longestRun bounds what one task adds to the average. Anything longer than
	// pipeWork means "read nothing ahead"; a larger number would say the same
	// and take longer to be forgotten.
	longestRun = 16 * pipeWork
	// shortestRun keeps a run time of zero from asking for an infinite window.
	shortestRun = 100 * time.Nanosecond
	// forget is what remains of the old average after one quicker task: after 11
	// of them half, after some 130 a longest run has become a microsecond.
	forget = 15.0 / 16
)

// Window is how many tasks to have in one worker's pipe, running or waiting: as
// many as fit into 250 us of work, so hundreds of microsecond tasks, and exactly
// Min once a task takes longer than that.
//
// It shrinks at once and grows slowly: a task stuck behind a long one costs
// its submitter that long run, a window too small costs a round trip.
type Window struct {
	Min int // the worker's slots
	Max int

	run float64 // average run time in ns; zero is unknown
}

// Observe tells that n tasks ran for that long altogether.
func (w *Window) Observe(run time.Duration, n int) {
	if n <= 0 {
		return
	}
	mean := float64(run) / float64(n)
	mean = min(max(mean, float64(shortestRun)), float64(longestRun))
	if mean >= w.run {
		w.run = mean
		return
	}
	w.run = mean + (w.run-mean)*math.Pow(forget, float64(n))
}

// Fits is how many tasks this worker does in a time, as far as is known; 0 if nothing is.
func (w *Window) Fits(d time.Duration) int {
	if w.run == 0 {
		return 0
	}
	return int(min(float64(w.Min)*float64(d)/w.run, float64(w.Max)))
}

// Size is the window now; Min while nothing has been observed.
func (w *Window) Size() int {
	if w.run == 0 {
		return w.Min
	}
	// Min handlers at once empty the pipe Min times as fast, which Fits knows.
	return max(w.Min, w.Fits(pipeWork))
}
