package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"time"

	"github.com/brood-run/brood/cmd/internal/bench/peer"
)

// unit is what a figure counts, and whether more of it is better.
type unit uint8

const (
	perSecond unit = iota // more is better; of all others, less
	nanos
	bytesOf
	percent
	plain // more is better, as it is
)

// role says in which column a contestant stands.
type role uint8

const (
	ours role = iota
	bound
	rival
	quoted // measured elsewhere
)

// row is one line of the table.
type row struct {
	name string
	unit unit
}

// entry is one contestant: it measures one figure for each row of its group, NaN for a
// row that it has no part in.
type entry struct {
	who     string
	role    role
	measure func(context.Context) ([]float64, error)
}

// group is rows that are measured together.
type group struct {
	rows    []row
	entries []entry
	rounds  int // if not those of the lab
}

// selected returns the groups with a row whose name matches.
func selected(groups []group, pattern *regexp.Regexp) []group {
	return slices.DeleteFunc(groups, func(g group) bool {
		return !slices.ContainsFunc(g.rows, func(r row) bool { return pattern.MatchString(r.name) })
	})
}

// cell is what one contestant reached in one row.
type cell struct {
	who     string
	role    role
	samples []float64
	err     error
}

// result is one row, measured.
type result struct {
	row
	cells []cell
}

// measure runs the rounds. Only the end of ctx is an error; a contestant that fails
// is out, and its cells say why.
func (g group) measure(ctx context.Context, rounds int, progress io.Writer) ([]result, error) {
	if g.rounds > 0 {
		rounds = g.rounds
	}
	results := make([]result, len(g.rows))
	for i, r := range g.rows {
		results[i].row = r
		for _, e := range g.entries {
			results[i].cells = append(results[i].cells, cell{who: e.who, role: e.role})
		}
	}
	began := time.Now()
	defer func() {
		fmt.Fprintf(progress, "%s: %d rounds, %.1f s\n", g.rows[0].name, rounds, time.Since(began).Seconds())
	}()
	for range rounds {
		for k, e := range g.entries {
			if results[0].cells[k].err != nil {
				continue
			}
			figures, err := e.patiently(ctx)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			for i := range results {
				c := &results[i].cells[k]
				if c.err = err; err == nil && !math.IsNaN(figures[i]) {
					c.samples = append(c.samples, figures[i])
				}
			}
		}
	}
	return results, nil
}

// patience is the longest that one measurement may take; the longest that is meant to takes
// half a minute.
const patience = 3 * time.Minute

func (e entry) patiently(ctx context.Context) ([]float64, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not done after %v", patience))
	defer cancel()
	return e.measure(ctx)
}

// failed is how many contestants could not be measured, missing ones aside.
func (r result) failed() int {
	n := 0
	for _, c := range r.cells {
		if c.failed() {
			n++
		}
	}
	return n
}

// failed says that the contestant should have been measured and was not.
func (c cell) failed() bool {
	return c.err != nil && !errors.Is(c.err, peer.ErrMissing) && !errors.Is(c.err, peer.ErrNever)
}

// median of the samples, NaN if there are none.
func (c cell) median() float64 {
	if len(c.samples) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(c.samples))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// better is how many times as good a is as b.
func (u unit) better(a, b float64) float64 {
	if u == perSecond || u == plain {
		return a / b
	}
	return b / a
}
