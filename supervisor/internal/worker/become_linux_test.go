package worker

import (
	"sync"
	"testing"
)

// However many ask a worker for different things at once: it never goes back to an earlier
// state, and the first reason is the one that counts.
func TestAnEndingWorkerStaysOne(t *testing.T) {
	r := up(t, nil)
	r.w.Kill(ReasonHardMemory, nil)
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for range 1000 {
				r.w.Drain()
				r.w.Stop(ReasonTTL)
				r.w.Kill(ReasonShutdown, nil)
				if s := r.w.State(); s != StateStopping && s != StateExited {
					t.Errorf("it is %v again", s)
					return
				}
			}
		})
	}
	asking.Wait()
	if e := <-r.exit; e.Reason != ReasonHardMemory {
		t.Errorf("ended for %v", e.Reason)
	}
	<-r.w.Done()
	if r.w.Drain(); r.w.State() != StateExited {
		t.Errorf("it is %v", r.w.State())
	}
}
