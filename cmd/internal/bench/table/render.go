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

// render writes the table. Peers after the first get a line of their own.
func render(w io.Writer, results []result) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "\tbrood\tlimit\tof limit\tpeer\t\tbrood is")
	for _, r := range results {
		left := r.left()
		peers := slices.DeleteFunc(slices.Clone(r.cells), func(c cell) bool { return c.role != rival || !c.shown() })
		if len(peers) == 0 {
			fmt.Fprintf(t, "%s\t\t\t\n", left)
		}
		for _, c := range peers {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", left, c.who, c.text(r.unit), r.times(c))
			left = "\t\t\t"
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// left is the columns before the peers.
func (r result) left() string {
	brood, limit, of := "", "-", ""
	for _, c := range r.cells {
		switch {
		case c.role == ours:
			brood = c.text(r.unit)
		case c.role == bound && c.shown():
			limit = fmt.Sprintf("%s %s", c.text(r.unit), c.who)
			of = ratio(r.brood().median() / c.median())
		}
	}
	return strings.Join([]string{r.name, brood, limit, of}, "\t")
}

func (r result) brood() cell {
	i := slices.IndexFunc(r.cells, func(c cell) bool { return c.role == ours })
	return r.cells[i]
}

func (r result) times(c cell) string {
	f := ratio(r.unit.better(r.brood().median(), c.median()))
	if f != "" {
		f += " x"
	}
	return f
}

// shown says that a contestant takes part in the row, if only by being missing.
func (c cell) shown() bool { return c.err != nil || len(c.samples) > 0 }

func (c cell) text(u unit) string {
	switch {
	case errors.Is(c.err, peer.ErrMissing):
		return "missing"
	case c.err != nil:
		return "FAILED: " + c.err.Error()
	case len(c.samples) == 0:
		return "-"
	}
	text := u.text(c.median())
	if low, high := slices.Min(c.samples), slices.Max(c.samples); high > 1.1*low {
		text += fmt.Sprintf(" (%s to %s)", u.text(low), u.text(high))
	}
	return text
}

func (u unit) text(f float64) string {
	switch u {
	case perSecond:
		return bench.Count(f) + "/s"
	case nanos:
		return bench.Span(time.Duration(f))
	case bytesOf:
		return bench.Bytes(uint64(f))
	}
	return fmt.Sprintf("%.2f %%", f)
}

func ratio(f float64) string {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return ""
	case f >= 10:
		return fmt.Sprintf("%.0f", f)
	case f >= 1:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}
