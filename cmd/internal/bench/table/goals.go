package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/brood-run/brood/cmd/internal/bench"
)

// goal is a figure that brood promises on two cores: a row of the table, alone or as a
// ratio to somebody in it, because machines differ.
type goal struct {
	row    string // begins with this
	to     string // the contestant that brood is compared with; "" takes the figure as it is
	less   bool   // the promise is "at most", else "at least"
	bound  float64
	wanted float64 // what would be good; 0 if nothing is said
}

// goals in the order of the table. Figures of time are in nanoseconds, as the rows have them.
var goals = [...]goal{
	{row: throughputOf(64, 2), to: pipeLoop, bound: 0.3, wanted: 0.5},
	{row: throughputOf(64, 2), to: imapOne, bound: 15},
	{row: throughputOf(1<<20, 2), to: pipeLoops(2), bound: 0.5},
	{row: scalingRow, bound: 0.8, wanted: 0.95},
	{row: idleRow + ", p50", to: pipeLoop, less: true, bound: 12},
	{row: idleRow + ", p50", to: grpcStream, less: true, bound: 0.5},
	{row: "spawn to ready", to: bareSpawn, less: true, bound: 2.5},
	{row: freshRow, to: forkExec, bound: 0.5},
	{row: "exec plugin", to: "xargs", bound: 0.5, wanted: 0.9},
	{row: fairRow, to: ideal, less: true, bound: 1.5},
	{row: killedRow + ", p50", less: true, bound: 10e6, wanted: 2e6},
	{row: "memory of an idle worker", less: true, bound: 6 << 20, wanted: 4 << 20},
	{row: "core share", less: true, bound: 5, wanted: 2},
	{row: servedRow, bound: 40e3, wanted: 80e3},
	{row: submitRow, less: true, bound: 1e6},
	{row: startRow, less: true, bound: 5e9},
}

// promises writes how the goals were met, as far as they were measured.
func promises(w io.Writer, results []result) error {
	results = append(results, scaling(results))
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "what is promised\tmeasured\tpromise\twanted")
	for _, g := range goals {
		for _, r := range results {
			if text := g.line(r); text != "" {
				fmt.Fprintln(t, text)
			}
		}
	}
	return t.Flush()
}

// line is a goal's line, "" if r is another row or was not measured.
func (g goal) line(r result) string {
	value := r.brood().median()
	name, text := r.name, r.unit.text
	if g.to != "" {
		name, text = r.name+" / "+g.to, ratio
		value /= r.of(g.to)
	}
	if !strings.HasPrefix(r.name, g.row) || math.IsNaN(value) {
		return ""
	}
	promise, kept := "at least ", value >= g.bound
	if g.less {
		promise, kept = "at most ", value <= g.bound
	}
	wanted, verdict := "", ""
	if g.wanted > 0 {
		wanted = text(g.wanted)
	}
	if !kept {
		verdict = "  MISSED"
	}
	return fmt.Sprintf("%s\t%s\t%s\t%s%s", name, text(value), promise+text(g.bound), wanted, verdict)
}

// of is the figure of the contestant whose name begins so.
func (r result) of(who string) float64 {
	for _, c := range r.cells {
		if c.role != ours && strings.HasPrefix(c.who, who) {
			return c.median()
		}
	}
	return math.NaN()
}

const scalingRow = "64 B with 64 workers against the best number of workers"

// scaling is what very many workers cost, as a row.
func scaling(results []result) result {
	best, many := math.NaN(), math.NaN()
	for _, r := range results {
		for _, n := range counts {
			if r.name != throughputOf(sizes[0], n) {
				continue
			}
			m := r.brood().median()
			if n == 64 {
				many = m
			}
			if !(m <= best) {
				best = m
			}
		}
	}
	return result{row: row{scalingRow, plain}, cells: []cell{{samples: []float64{many / best}}}}
}

func workers(n int) string {
	if n == 1 {
		return "1 worker"
	}
	return fmt.Sprintf("%d workers", n)
}

func throughputOf(size, n int) string {
	return fmt.Sprintf("%s tasks/s, %s", bench.Bytes(uint64(size)), workers(n))
}
