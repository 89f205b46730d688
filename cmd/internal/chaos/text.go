package chaos

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Text writes the report for people.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d workers, isolation %s, seed %d, %.1f s\n\n", r.Plugin, r.Workers, r.Isolation, r.Seed, r.Elapsed)
	r.tasks(&b)
	table := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintf(table, "strike\tcount\tsurvived\trecovery p50\tp99\tmax\n")
	for _, s := range r.Strikes {
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\n", s.Fault, s.Count, s.Survived, s.Recovery)
	}
	_ = table.Flush() // into memory
	if r.Missed > 0 {
		fmt.Fprintf(&b, "%d strikes found no worker that was up\n", r.Missed)
	}
	fmt.Fprintf(&b, "workers ended: %s; %d of them killed before they were ready\n", counts(r.Ended), r.FailedUp)
	fmt.Fprintf(&b, "supervisor: %d MiB at the highest, %.0f us of CPU time for each task\n", r.Cost.PeakRSS>>20, r.Cost.PerTask)
	if r.Lost > 0 {
		fmt.Fprintf(&b, "%d events were lost: strikes whose end nobody saw are not judged\n", r.Lost)
	}
	b.WriteByte('\n')
	promises(&b, r.Promises)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) tasks(b *strings.Builder) {
	fmt.Fprintf(b, "%d tasks, %.0f/s: %s; %d of them started again\n", r.Tasks, r.PerSecond, counts(r.Statuses), r.Retried)
	if r.Failure != "" {
		fmt.Fprintf(b, "the plugin itself failed tasks, the first: %s\n", r.Failure)
	}
	if r.Cut {
		fmt.Fprintln(b, "interrupted: the rest was not run")
	}
	b.WriteByte('\n')
}

// promises writes a line for each, and the evidence below those that were broken.
func promises(b *strings.Builder, all []*Promise) {
	table := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	for _, p := range all {
		verdict := "kept"
		if !p.Kept {
			verdict = "BROKEN"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", verdict, p.Name, p.Found)
	}
	_ = table.Flush() // into memory
	for _, p := range all {
		if p.Kept {
			continue
		}
		fmt.Fprintf(b, "\nBROKEN: %s\n", p.Name)
		for _, line := range p.Evidence {
			fmt.Fprintf(b, "  %s\n", line)
		}
		if more := p.cases - mostEvidence; more > 0 {
			fmt.Fprintf(b, "  and %d more\n", more)
		}
	}
}

// String shows the percentiles as columns.
func (s Spread) String() string {
	if s.Count == 0 {
		return "-\t-\t-"
	}
	return fmt.Sprintf("%s\t%s\t%s", span(s.P50), span(s.P99), span(s.Max))
}

func span(millis float64) time.Duration {
	d := time.Duration(millis * float64(time.Millisecond))
	if d < 100*time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

// counts lists numbers by name.
func counts[K ~string](m map[K]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%d %s", m[k], k))
	}
	return strings.Join(parts, ", ")
}
