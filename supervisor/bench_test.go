package supervisor_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

// benchSupervisor runs the echo plugin.
func benchSupervisor(b *testing.B, workers int) *supervisor.Supervisor {
	b.Helper()
	s, err := supervisor.New(supervisor.Config{
		QueueSize: 8192,
		Pools:     []supervisor.PoolConfig{{Plugin: plugin("echo"), Workers: workers}},
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	if err := s.WaitReady(context.Background()); err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkSubmit is the throughput of Submit and its result: one goroutine submits, one
// waits for the handles in their order.
func BenchmarkSubmit(b *testing.B) {
	for _, size := range []int{64, 4 << 10, 1 << 20} {
		for _, workers := range []int{1, 2, 4, 16, 64} {
			b.Run(fmt.Sprintf("bytes=%d/workers=%d", size, workers), func(b *testing.B) {
				s := benchSupervisor(b, workers)
				payload := make([]byte, size)
				handles := make(chan *supervisor.Handle, min(8192, 256<<20/size))
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
				b.SetBytes(int64(size))
				for b.Loop() {
					h, err := s.Submit(context.Background(), task.Task{Payload: payload})
					if err != nil {
						b.Fatal(err)
					}
					handles <- h
				}
				close(handles)
				<-done
			})
		}
	}
}

// BenchmarkRoundTrip is one task at a time.
func BenchmarkRoundTrip(b *testing.B) {
	s := benchSupervisor(b, 1)
	payload := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		h, err := s.Submit(context.Background(), task.Task{Payload: payload})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := h.Wait(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkClients is what programs do that submit a window of tasks and wait for the
// oldest, with a context that can be cancelled.
func BenchmarkClients(b *testing.B) {
	for _, window := range []int{1, 16, 256, 4096} {
		b.Run(fmt.Sprintf("window=%d", window), func(b *testing.B) {
			s := benchSupervisor(b, 2)
			payload := make([]byte, 64)
			ring := make([]*supervisor.Handle, window)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				slot := &ring[n%window]
				if *slot != nil {
					if _, err := (*slot).Wait(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
				var err error
				if *slot, err = s.Submit(b.Context(), task.Task{Payload: payload}); err != nil {
					b.Fatal(err)
				}
				n++
			}
		})
	}
}
