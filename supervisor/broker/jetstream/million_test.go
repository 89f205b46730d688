package jetstream

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkMillion measures what a queue of a million tasks costs: opening it again, memory, and how long
// submitting one more task takes, beside an empty queue.
func BenchmarkMillion(b *testing.B) {
	const n, page = 1_000_000, 1000
	dir := b.TempDir()
	for b.Loop() {
		q := opened(b, Config{Dir: dir})
		b.ReportMetric(float64(median(b, q, "empty").Microseconds()), "us/submit-empty")
		for i := range n / page {
			enqueue(b, q, batch(fmt.Sprint("m", i), page)...)
		}
		b.ReportMetric(float64(median(b, q, "full").Microseconds()), "us/submit-full")
		b.ReportMetric(float64(resident(b))/(1<<20), "MiB-full")
		if err := q.Close(); err != nil {
			b.Fatal(err)
		}
		before := time.Now()
		q = opened(b, Config{Dir: dir})
		b.ReportMetric(float64(time.Since(before).Milliseconds()), "ms/open")
		before = time.Now()
		lease(b, q, 1)
		b.ReportMetric(float64(time.Since(before).Milliseconds()), "ms/first-lease")
		b.ReportMetric(float64(resident(b))/(1<<20), "MiB-opened")
		before = time.Now()
		c, err := q.Counts(b.Context(), poolName)
		if err != nil || c.Queued < n {
			b.Fatalf("%+v, %v", c, err)
		}
		b.ReportMetric(float64(time.Since(before).Microseconds()), "us/counts")
		if err := q.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// median is how long submitting one task takes.
func median(b *testing.B, q *Broker, prefix string) time.Duration {
	var took []time.Duration
	for _, m := range batch(prefix, 1000) {
		before := time.Now()
		enqueue(b, q, m)
		took = append(took, time.Since(before))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// resident is how much memory this process has, in bytes.
func resident(b *testing.B) int {
	b.Helper()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	if err != nil {
		b.Fatal(err)
	}
	return pages * os.Getpagesize()
}
