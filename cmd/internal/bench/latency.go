package bench

import (
	"encoding/json"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// longest is what a latency is capped at: nobody waits longer for a benchmark.
const longest = time.Hour

// histogram collects durations of one goroutine, to three digits.
type histogram struct{ h *hdrhistogram.Histogram }

func newHistogram() histogram { return histogram{hdrhistogram.New(1, int64(longest), 3)} }

func (h histogram) add(d time.Duration) {
	// Both bounds are kept, so the histogram cannot refuse the value.
	_ = h.h.RecordValue(int64(min(max(d, 1), longest)))
}

// Latency is a distribution of durations.
type Latency struct {
	Count                    int64
	Mean, P50, P90, P99, Max time.Duration
}

func (h histogram) latency() Latency {
	at := func(q float64) time.Duration { return time.Duration(h.h.ValueAtQuantile(q)) }
	return Latency{
		Count: h.h.TotalCount(), Mean: time.Duration(h.h.Mean()),
		P50: at(50), P90: at(90), P99: at(99), Max: time.Duration(h.h.Max()),
	}
}

// Summarize is the distribution of a few durations.
func Summarize(all []time.Duration) Latency {
	h := newHistogram()
	for _, d := range all {
		h.add(d)
	}
	return h.latency()
}

// MarshalJSON writes microseconds.
func (l Latency) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Count int64   `json:"count"`
		Mean  float64 `json:"mean_us"`
		P50   float64 `json:"p50_us"`
		P90   float64 `json:"p90_us"`
		P99   float64 `json:"p99_us"`
		Max   float64 `json:"max_us"`
	}{l.Count, micros(l.Mean), micros(l.P50), micros(l.P90), micros(l.P99), micros(l.Max)})
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
