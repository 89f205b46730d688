package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

// summary writes the closing words of a run.
func (t *tally) summary(w io.Writer, skipped int64, snap supervisor.Snapshot) {
	took := time.Since(t.started)
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s in %s", plural(t.total, "task"), round(took))
	if t.total > 0 && took > 0 {
		fmt.Fprintf(&b, " (%s/s)", humanize.CommafWithDigits(float64(t.total)/took.Seconds(), 1))
	}
	if len(t.statuses) > 0 {
		fmt.Fprintf(&b, ": %s", counts(t.statuses, task.Completed, task.Dead, task.Rejected, task.Expired, task.Cancelled))
	}
	b.WriteByte('\n')
	if skipped > 0 {
		fmt.Fprintf(&b, "  skipped    %s, completed by an earlier run\n", plural(int(skipped), "task"))
	}
	if len(t.outcomes) > 0 {
		fmt.Fprintf(&b, "  attempts   went wrong: %s\n", counts(t.outcomes, slices.Sorted(maps.Keys(t.outcomes))...))
	}
	if t.latency.TotalCount() > 0 {
		fmt.Fprintf(&b, "  latency    p50 %s, p95 %s, p99 %s\n", t.quantile(50), t.quantile(95), t.quantile(99))
	}
	for _, p := range snap.Pools {
		writePool(&b, p)
	}
	if len(t.failures) > 0 {
		fmt.Fprintln(&b, "did not complete:")
		for _, f := range t.failures {
			fmt.Fprintf(&b, "  %s\n", f)
		}
		listed := t.statuses[task.Dead] + t.statuses[task.Rejected] + t.statuses[task.Expired]
		if more := listed - len(t.failures); more > 0 {
			fmt.Fprintf(&b, "  and %s more\n", humanize.Comma(int64(more)))
		}
	}
	// A message that cannot be written has nowhere to be reported.
	_, _ = io.WriteString(w, b.String())
}

func writePool(b *strings.Builder, p supervisor.PoolSnapshot) {
	restarts := "no restarts"
	if len(p.Restarts) > 0 {
		restarts = "restarts: " + counts(p.Restarts, slices.Sorted(maps.Keys(p.Restarts))...)
	}
	fmt.Fprintf(b, "  workers    %s", restarts)
	if p.PeakRSS > 0 {
		fmt.Fprintf(b, "; peak memory %s", humanize.IBytes(p.PeakRSS))
	}
	b.WriteByte('\n')
	if p.Degraded != "" {
		fmt.Fprintf(b, "  degraded   %s\n", p.Degraded)
	}
}

func (t *tally) quantile(q float64) time.Duration {
	return round(time.Duration(t.latency.ValueAtQuantile(q)) * time.Microsecond)
}

// round keeps about three digits.
func round(d time.Duration) time.Duration {
	for unit := time.Duration(1); ; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit)
		}
	}
}

// counts lists those of keys that are not zero.
func counts[K ~string, N int | uint64](m map[K]N, keys ...K) string {
	var parts []string
	for _, k := range keys {
		if m[k] > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", humanize.Comma(int64(m[k])), k))
		}
	}
	return strings.Join(parts, ", ")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return humanize.Comma(int64(n)) + " " + noun + "s"
}
