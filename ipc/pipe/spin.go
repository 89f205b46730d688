package pipe

import (
	"runtime"
	"syscall"
	"time"
)

const (
	// spinTime is how long a read looks again and again before it sleeps. To wake a processor
	// that sleeps can take a virtual machine 40 us, there and back twice that: more than most
	// of what spinning is for.
	spinTime = 100 * time.Microsecond
	// longestPause is how many reads in a row sleep at once where spinning is in vain.
	longestPause = 63
)

// spinner looks for what a read waits for as long as that helps. Where it does not, it costs no
// more than 1.6 us a read.
type spinner struct {
	pause int // reads to go until the next attempt
	after int // pause after the next attempt in vain
}

// try calls read until it finds something. In between, other goroutines run.
func (s *spinner) try(read func() error) error {
	if s.pause > 0 {
		s.pause--
		return syscall.EAGAIN
	}
	for began := time.Now(); time.Since(began) < spinTime; {
		runtime.Gosched()
		if err := read(); err != syscall.EAGAIN {
			s.after /= 2
			return err
		}
	}
	s.after = min(2*s.after+1, longestPause)
	s.pause = s.after
	return syscall.EAGAIN
}
