package child

import (
	"io"
	"slices"
	"testing"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

// BenchmarkRoundTrip is one 64-byte task at a time; BenchmarkThroughput keeps 256 in
// the pipe.
func BenchmarkRoundTrip(b *testing.B)  { benchmark(b, 1) }
func BenchmarkThroughput(b *testing.B) { benchmark(b, 256) }

func benchmark(b *testing.B, window int) {
	d := launch(b, "sole", ipc.Hello{Worker: "w1", Slots: 1, MaxFrame: 1 << 20, HeartbeatMS: 1000})
	d.expect(ipc.TypeReady)
	e := wire.Execute{Attempt: 1, MaxAttempts: 3, Name: "echo", TaskID: "0190b0a0-0000-7000-8000-000000000000", Payload: make([]byte, 64)}
	var batch []byte
	var trips []time.Duration
	answered := uint64(0)
	var t0 time.Time
	b.ReportAllocs()
	for b.Loop() {
		if e.Seq-answered < uint64(window) {
			e.Seq++
			batch = wire.AppendExecute(batch, &e)
			if e.Seq-answered < uint64(window) {
				continue
			}
		}
		if len(batch) > 0 {
			t0 = time.Now()
			d.send(batch)
			batch = batch[:0]
		}
		for first := true; first || d.out.Buffered(); first = false {
			f, err := d.out.Next()
			if err != nil && err != io.EOF {
				b.Fatal(err)
			}
			if f.Type == ipc.TypeResult {
				answered = f.ID
				trips = append(trips, time.Since(t0))
			}
		}
	}
	if window == 1 {
		slices.Sort(trips)
		b.ReportMetric(float64(trips[len(trips)/2]), "p50-ns")
	}
}
