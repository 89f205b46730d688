package supervisor_test

import (
	"context"
	"testing"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

// BenchmarkFreshProcess is a new process for each task, two at a time: what a worker's
// whole life costs.
func BenchmarkFreshProcess(b *testing.B) {
	s, err := supervisor.New(supervisor.Config{Pools: []supervisor.PoolConfig{
		{Plugin: plugin("echo"), Workers: 2, MaxTasksPerChild: 1},
	}})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Start(); err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	handles := make(chan *supervisor.Handle, 16)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for h := range handles {
			if r, err := h.Wait(context.Background()); err != nil || r.Status != task.Completed {
				b.Errorf("%s %v", r.Status, err)
			}
		}
	}()
	b.ReportAllocs()
	for b.Loop() {
		h, err := s.Submit(context.Background(), task.Task{Payload: make([]byte, 64)})
		if err != nil {
			b.Fatal(err)
		}
		handles <- h
	}
	close(handles)
	<-done
}
