package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/brood-run/brood/cmd/internal/bench"
	"github.com/brood-run/brood/cmd/internal/bench/peer"
)

// render writes the table: a line for each contestant beside brood, limits first, and below
// it why some could not be measured.
func render(w io.Writer, results []result) error {
	var failures []string
	rows := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(rows, "\tbrood\t\tbeside\t\tbrood is")
	for _, r := range results {
		left := r.name + "\t" + r.brood().text(r.unit) + "\t" + r.brood().spread()
		others := r.others()
		if len(others) == 0 {
			fmt.Fprintf(rows, "%s\t\t\t\n", left)
		}
		for _, c := range others {
			fmt.Fprintf(rows, "%s\t%s\t%s\t%s\n", left, c.name(), c.text(r.unit), r.times(c))
			left = "\t\t"
		}
		for _, c := range r.cells {
			if c.failed() {
				failures = append(failures, fmt.Sprintf("%s, %s: %v", r.name, c.name(), c.err))
			}
		}
	}
	if err := rows.Flush(); err != nil {
		return err
	}
	for _, text := range failures {
		if _, err := fmt.Fprintln(w, "FAILED:", text); err != nil {
			return err
		}
	}
	return nil
}

func (r result) brood() cell { return r.cells[slices.IndexFunc(r.cells, cell.isOurs)] }

func (c cell) isOurs() bool { return c.role == ours }

// others are who takes part in the row beside brood, if only by being missing.
func (r result) others() []cell {
	all := slices.DeleteFunc(slices.Clone(r.cells), func(c cell) bool {
		return c.isOurs() || c.err == nil && len(c.samples) == 0
	})
	slices.SortStableFunc(all, func(a, b cell) int { return int(a.role) - int(b.role) })
	return all
}

func (c cell) name() string {
	switch c.role {
	case ours:
		return "brood"
	case bound:
		return "limit: " + c.who
	case quoted:
		return "reference: " + c.who
	}
	return c.who
}

func (r result) times(c cell) string {
	f := ratio(r.unit.better(r.brood().median(), c.median()))
	if f != "" {
		f += " x"
	}
	return f
}

func (c cell) text(u unit) string {
	switch {
	case errors.Is(c.err, peer.ErrMissing):
		return "missing"
	case errors.Is(c.err, peer.ErrNever):
		return "never"
	case c.err != nil:
		return "FAILED"
	case len(c.samples) == 0:
		return "-"
	}
	return u.text(c.median())
}

// spread is how far the rounds were apart, half of it to each side.
func (c cell) spread() string {
	if len(c.samples) < 2 {
		return ""
	}
	return fmt.Sprintf("±%.0f %%", 50*(slices.Max(c.samples)-slices.Min(c.samples))/c.median())
}

func (u unit) text(f float64) string {
	switch u {
	case perSecond:
		return bench.Count(f) + "/s"
	case nanos:
		return bench.Span(time.Duration(f))
	case bytesOf:
		return bench.Bytes(uint64(f))
	case plain:
		return ratio(f)
	}
	return fmt.Sprintf("%.2f %%", f)
}

func ratio(f float64) string {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return ""
	case f >= 9.95:
		return fmt.Sprintf("%.0f", f)
	case f >= 0.995:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

// trimmed drops the blanks that a table leaves at the ends of its lines.
func trimmed(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimRight(line, " \n"))
		b.WriteByte('\n')
	}
	return b.String()
}
