package bench

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Text writes the report as a table for people.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	name := r.Plugin
	if r.Task != "" {
		name += ", task " + r.Task
	}
	fmt.Fprintf(&b, "%s, payload %s, %v a row\n%s\n\n", name, Bytes(uint64(r.Payload)), r.Duration, r.Machine)
	table := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for _, t := range r.Throughput {
		fmt.Fprintf(table, "throughput\t%s\t%s tasks/s\n", workers(t.Workers), Count(t.PerSecond))
	}
	if r.Idle.Count > 0 {
		fmt.Fprintf(table, "latency, one task at a time\t%s\t%s\n", workers(1), r.Idle)
	}
	if h := r.HalfLoad; h != nil {
		fmt.Fprintf(table, "latency at half load (%s/s)\t%s\t%s\n", Count(h.PerSecond), workers(h.Workers), h.Latency)
	}
	if r.Spawn.Count > 0 {
		fmt.Fprintf(table, "spawn to ready\t%s\t%s\n", workers(1), r.Spawn)
	}
	if f := r.Recycling; f != nil {
		fmt.Fprintf(table, "a fresh process for each task\t%s\t%s tasks/s%s\n", workers(f.Workers), Count(f.PerSecond), every(f.PerSecond))
	}
	if r.IdleRSS > 0 {
		fmt.Fprintf(table, "memory of an idle worker\t\t%s\n", Bytes(r.IdleRSS))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if r.Sizing != nil {
		fmt.Fprintf(&b, "\n%s\n", r.Sizing)
	}
	if len(r.Throughput) == 0 {
		fmt.Fprintln(&b, "NOTHING WAS MEASURED: the first task failed. --task and --payload choose what to measure.")
	} else if r.Tally.Failed() > 0 {
		b.WriteByte('\n')
	}
	if r.Tally.Failed() > 0 {
		fmt.Fprintf(&b, "NOT ALL TASKS COMPLETED: %s\nthe first that did not: %s\n", r.Tally, r.Tally.Failure)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// every says the same as a rate the other way round.
func every(perSecond float64) string {
	if perSecond <= 0 {
		return ""
	}
	return fmt.Sprintf(", one in %s", Span(time.Duration(float64(time.Second)/perSecond)))
}

func workers(n int) string {
	if n == 1 {
		return "1 worker"
	}
	return fmt.Sprintf("%d workers", n)
}

// String shows the percentiles.
func (l Latency) String() string {
	return fmt.Sprintf("p50 %s, p90 %s, p99 %s, max %s", Span(l.P50), Span(l.P90), Span(l.P99), Span(l.Max))
}

// String is Little's law with the numbers filled in.
func (s *Sizing) String() string {
	text := fmt.Sprintf("%s tasks/s x %s in a worker / %g utilisation = %s (Little's law)",
		Count(s.Rate), Span(s.Busy), s.Utilisation, workers(s.Workers))
	if s.Exceeds > 0 {
		text += fmt.Sprintf("\nbut this machine did no more than %s tasks/s, with any number of workers measured", Count(s.Exceeds))
	}
	return text
}

// Count writes a figure to three digits: 1.23 M, 45.6 k, 789.
func Count(f float64) string {
	switch {
	case f >= 999_500:
		return digits(f/1e6) + " M"
	case f >= 999.5:
		return digits(f/1e3) + " k"
	}
	return digits(f)
}

// Span writes a duration to three digits.
func Span(d time.Duration) string {
	switch f := float64(d); {
	case f >= 999.5e6:
		return digits(f/1e9) + " s"
	case f >= 999.5e3:
		return digits(f/1e6) + " ms"
	case f >= 999.5:
		return digits(f/1e3) + " us"
	}
	return fmt.Sprintf("%d ns", d)
}

// Bytes writes a size to three digits, a round one without a fraction.
func Bytes(n uint64) string {
	for _, u := range []struct {
		size uint64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		switch {
		case n >= u.size && n%u.size == 0:
			return fmt.Sprintf("%d %s", n/u.size, u.name)
		case n >= u.size:
			return digits(float64(n)/float64(u.size)) + " " + u.name
		}
	}
	return fmt.Sprintf("%d B", n)
}

func digits(f float64) string {
	switch {
	case f >= 99.95 || f == 0:
		return fmt.Sprintf("%.0f", f)
	case f >= 9.995:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}
