package pipe

import (
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// found is a read that finds something at the n-th look.
func found(n int) (read func() error, looks *int) {
	looks = new(int)
	return func() error {
		if *looks++; *looks >= n {
			return nil
		}
		return syscall.EAGAIN
	}, looks
}

func TestSpinFindsWhatComes(t *testing.T) {
	var s spinner
	read, looks := found(3)
	if err := s.try(read); err != nil || *looks != 3 {
		t.Errorf("%v after %d looks", err, *looks)
	}
	if err := s.try(func() error { return syscall.EIO }); !errors.Is(err, syscall.EIO) {
		t.Errorf("an error is %v", err)
	}
}

// TestSpinInVainGetsRare has a pipe bring nothing for long: nearly all reads sleep at once. When spinning
// helps again it is done more often again.
func TestSpinInVainGetsRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s spinner
		attempts := func(reads int, each error) int {
			n := 0
			for range reads {
				tried := false
				s.try(func() error {
					if each == syscall.EAGAIN {
						time.Sleep(spinTime) // fake time
					}
					tried = true
					return each
				})
				if tried {
					n++
				}
			}
			return n
		}
		if n := attempts(6400, syscall.EAGAIN); n < 100 || n > 120 {
			t.Errorf("%d attempts in 6400 reads, want about one in 64", n)
		}
		if n := attempts(1000, nil); n < 900 {
			t.Errorf("%d attempts in 1000 reads that find something", n)
		}
	})
}
