package conn

import (
	"testing"
	"time"
)

func TestTicksOfTheKernel(t *testing.T) {
	const every = 3 * time.Millisecond
	s := &Server{gone: make(chan struct{})}
	wait, err := s.kernelTicks(every)
	if err != nil {
		t.Fatal(err)
	}
	for began, n := time.Now(), time.Duration(1); n <= 5; n++ {
		if !wait() {
			t.Fatal("no tick")
		}
		if took := time.Since(began); took < (n-1)*every {
			t.Errorf("%d ticks of %v took %v", n, every, took)
		}
	}
	close(s.gone)
	s.loops.Wait()
	if wait() {
		t.Error("a tick after the end")
	}
}
