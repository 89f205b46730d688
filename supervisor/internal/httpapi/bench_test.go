package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/broker"
)

// sink takes all tasks and keeps none: what is left is the price of the API.
type sink struct{ Backend }

func (sink) Enqueue(_ context.Context, ms []*broker.Message) []error {
	for _, m := range ms {
		m.Task.ID = "0198c5a2-7b1e-7000-8000-000000000000"
	}
	return nil
}

func requests(n int) []*broodv1.SubmitRequest {
	out := make([]*broodv1.SubmitRequest, n)
	for i := range out {
		out[i] = &broodv1.SubmitRequest{Task: "ok", Input: payload("0123456789012345678901234567890123456789012345678901234567890123")}
	}
	return out
}

func clients(r *rig) map[string]*http.Client {
	return map[string]*http.Client{"http1": r.http1, "http2": r.http2}
}

// BenchmarkBatch is 64 B tasks in batches of 500, client and all.
func BenchmarkBatch(b *testing.B) {
	r := newRig(b, setup{idle: true, backend: func(to Backend) Backend { return sink{to} }})
	for name, c := range clients(r) {
		b.Run(name, func(b *testing.B) {
			tasks := broodv1.NewTaskServiceClient(c, r.web.URL)
			batch := &broodv1.SubmitBatchRequest{Tasks: requests(500)}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tasks.SubmitBatch(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(500*float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}

// BenchmarkSubmit is one task after the other.
func BenchmarkSubmit(b *testing.B) {
	r := newRig(b, setup{idle: true, backend: func(to Backend) Backend { return sink{to} }})
	for name, c := range clients(r) {
		b.Run(name, func(b *testing.B) {
			tasks := broodv1.NewTaskServiceClient(c, r.web.URL)
			var took []time.Duration
			b.ReportAllocs()
			for b.Loop() {
				began := time.Now()
				if _, err := tasks.Submit(b.Context(), requests(1)[0]); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
		})
	}
}

// BenchmarkStream is 64 B tasks in one SubmitStream.
func BenchmarkStream(b *testing.B) {
	r := newRig(b, setup{idle: true, backend: func(to Backend) Backend { return sink{to} }})
	s, err := r.tasks().SubmitStream(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	one := requests(1)[0]
	b.ReportAllocs()
	go func() {
		for range b.N {
			if err := s.Send(one); err != nil {
				return
			}
		}
		_ = s.CloseRequest()
	}()
	for i := range b.N {
		if _, err := s.Receive(); err != nil {
			b.Fatal(fmt.Errorf("answer %d: %w", i, err))
		}
	}
	_ = s.CloseResponse()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
}
