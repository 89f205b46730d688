package conn

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/brood-run/brood/ipc/wire"
)

type testKey struct{}

func newTestJob() *Job {
	base := context.WithValue(context.Background(), testKey{}, "value")
	return &Job{server: &Server{work: ServerWork{Base: base}}}
}

func TestJobIsAContext(t *testing.T) {
	for name, touchFirst := range map[string]bool{"asked for before": true, "asked for after": false} {
		t.Run(name, func(t *testing.T) {
			j := newTestJob()
			if touchFirst {
				if j.Err() != nil || j.Interrupted() {
					t.Fatal("cancelled from the start")
				}
			}
			j.interrupt(errTestCause)
			j.interrupt(context.DeadlineExceeded) // the first cause counts
			<-j.Done()
			if j.Err() != context.Canceled || context.Cause(j) != errTestCause || !j.Interrupted() {
				t.Errorf("Err %v, cause %v", j.Err(), context.Cause(j))
			}
		})
	}
}

func TestJobEndFreesDerivedContexts(t *testing.T) {
	j := newTestJob()
	derived, cancel := context.WithCancel(context.WithValue(j, testKey{}, 1))
	defer cancel()
	if got, ok := JobFrom(derived); !ok || got != j {
		t.Error("JobFrom does not find the job below a derived context")
	}
	j.end()
	<-derived.Done()
	j.interrupt(errTestCause)
	if j.Interrupted() || context.Cause(j) != context.Canceled {
		t.Errorf("interrupted after its end: %v", context.Cause(j))
	}
	late := newTestJob()
	late.end()
	<-late.Done()
}

func TestJobDeadlineAndValues(t *testing.T) {
	j := newTestJob()
	if _, ok := j.Deadline(); ok {
		t.Error("a deadline without a soft timeout")
	}
	j.server.epoch, j.start, j.Execute = time.Unix(90, 0), 10*time.Second, wire.Execute{SoftTimeout: 1500}
	if at, ok := j.Deadline(); !ok || !at.Equal(time.Unix(101, 5e8)) {
		t.Errorf("deadline %v", at)
	}
	if j.Value(testKey{}) != "value" || j.Value(1) != nil {
		t.Error("values of the base context are lost")
	}
	if _, ok := JobFrom(context.Background()); ok {
		t.Error("a job out of nowhere")
	}
}

func TestShare(t *testing.T) {
	for f, want := range map[float64]float64{-1: 0, 0: 0, 0.25: 0.25, 1: 1, 2: 1, math.Inf(1): 1, math.Inf(-1): 0} {
		if got := share(f); got != want {
			t.Errorf("share(%v) = %v", f, got)
		}
	}
	if share(math.NaN()) != 0 {
		t.Error("NaN passed")
	}
}
