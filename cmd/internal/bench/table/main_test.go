package main

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"

	"github.com/brood-run/brood/cmd/internal/bench/peer"
	"github.com/brood-run/brood/supervisor/task"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted gives one list of figures after the other.
func scripted(figures ...[]float64) func(context.Context) ([]float64, error) {
	return func(context.Context) ([]float64, error) {
		f := figures[0]
		figures = figures[1:]
		return f, nil
	}
}

func failing(err error) func(context.Context) ([]float64, error) {
	return func(context.Context) ([]float64, error) { return nil, err }
}

func TestTable(t *testing.T) {
	nan := math.NaN()
	g := group{
		rows: []row{{"rate", perSecond}, {"time", nanos}},
		entries: []entry{
			{"", ours, scripted([]float64{100, 2000}, []float64{300, 2000}, []float64{200, 2000})},
			{"pipe", bound, scripted([]float64{400, nan}, []float64{400, nan}, []float64{400, nan})},
			{"slow", rival, scripted([]float64{20, 8000}, []float64{20, 8000}, []float64{20, 8000})},
			{"absent", rival, failing(peer.ErrMissing)},
			{"broken", rival, failing(errors.New("it fell over"))},
			{"silent", rival, failing(peer.ErrNever)},
		},
	}
	results, err := g.measure(t.Context(), 3, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := render(&b, results); err != nil {
		t.Fatal(err)
	}
	want := `
      brood           beside               brood is
rate  200/s    ±50 %  limit: pipe  400/s   0.50 x
                      slow         20.0/s  10 x
                      absent       missing
                      broken       FAILED
                      silent       never
time  2.00 us  ±0 %   slow         8.00 us 4.0 x
                      absent       missing
                      broken       FAILED
                      silent       never
FAILED: rate, broken: it fell over
FAILED: time, broken: it fell over
`
	if got := "\n" + b.String(); squeeze(got) != squeeze(want) {
		t.Errorf("got%s\nwant%s", got, want)
	}
	if n := results[0].failed() + results[1].failed(); n != 2 {
		t.Errorf("%d cells failed, want 2: a missing peer is no failure", n)
	}
}

// squeeze leaves the widths of columns aside.
func squeeze(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(lines, "\n")
}

// Noise must hit everybody: no contestant has all its rounds before the next.
func TestContestantsTakeTurns(t *testing.T) {
	var order strings.Builder
	step := func(name string) func(context.Context) ([]float64, error) {
		return func(context.Context) ([]float64, error) {
			order.WriteString(name)
			return []float64{1}, nil
		}
	}
	g := group{rows: []row{{"r", perSecond}}, entries: []entry{{"", ours, step("A")}, {"", bound, step("B")}}}
	if _, err := g.measure(t.Context(), 3, io.Discard); err != nil || order.String() != "ABABAB" {
		t.Errorf("order %s, %v", &order, err)
	}
}

func TestMedian(t *testing.T) {
	for want, samples := range map[float64][]float64{2: {3, 1, 2}, 2.5: {4, 1, 3, 2}, 7: {7}} {
		if got := (cell{samples: samples}).median(); got != want {
			t.Errorf("median of %v: %v", samples, got)
		}
	}
	if got := (cell{}).median(); !math.IsNaN(got) {
		t.Errorf("median of nothing: %v", got)
	}
}

func TestSampleCountsEveryLine(t *testing.T) {
	text := strings.Repeat("a line\n", 100)
	memory, err := sample(iotest.OneByteReader(strings.NewReader(text)), os.Getpid(), 100)
	if err != nil || len(memory) != 10 {
		t.Errorf("%d looks at the memory, %v", len(memory), err)
	}
	if _, err := sample(strings.NewReader(text), os.Getpid(), 101); err == nil {
		t.Error("a lost line went unnoticed")
	}
}

func TestEachHundredthTaskIsDeadly(t *testing.T) {
	n := 0
	for tk, err := range stormy(time.Now().Add(time.Hour)) {
		n++
		if want := task.Completed; err != nil || n%100 != 0 && expected(tk.Name) != want {
			t.Fatalf("task %d is %s", n, tk.Name)
		}
		if n%100 == 0 && expected(tk.Name) != task.Dead {
			t.Fatalf("task %d is %s", n, tk.Name)
		}
		if n == 1000 {
			break
		}
	}
}

func TestPromises(t *testing.T) {
	of := func(name string, u unit, brood float64, others ...cell) result {
		return result{row{name, u}, append([]cell{{samples: []float64{brood}}}, others...)}
	}
	beside := func(who string, r role, f float64) cell { return cell{who: who, role: r, samples: []float64{f}} }
	all := []result{
		of(throughputOf(64, 2), perSecond, 400, beside(pipeLoop, bound, 1000), beside(imapOne, rival, 40), beside(imapOne+", chunks of 64", rival, 4)),
		of(throughputOf(64, 4), perSecond, 300),
		of(throughputOf(64, 64), perSecond, 200),
		of(throughputOf(4096, 2), perSecond, 9000),
		of("core share to watch 9 idle workers", percent, 1.5),
		of("exec plugin, true", perSecond, 100, cell{who: "xargs -P 2", role: rival, err: peer.ErrMissing}),
	}
	var b strings.Builder
	if err := promises(&b, all); err != nil {
		t.Fatal(err)
	}
	want := `what is promised                                         measured  promise        wanted
64 B tasks/s, 2 workers / pipe loop                      0.40      at least 0.30  0.50
64 B tasks/s, 2 workers / imap_unordered                 10        at least 15      MISSED
64 B with 64 workers against the best number of workers  0.50      at least 0.80  0.95  MISSED
core share to watch 9 idle workers                       1.50 %    at most 5.00 %  2.00 %
`
	if got := b.String(); squeeze(got) != squeeze(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The names that goals look for are those of rows and contestants that exist.
func TestEachGoalHasItsRow(t *testing.T) {
	l, err := testLab(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range goals {
		found := g.row == scalingRow
		for _, group := range l.groups() {
			for _, r := range group.rows {
				found = found || strings.HasPrefix(r.name, g.row) && (g.to == "" || slices.ContainsFunc(group.entries, func(e entry) bool {
					return e.role != ours && strings.HasPrefix(e.who, g.to)
				}))
			}
		}
		if !found {
			t.Errorf("nothing is measured for %q / %q", g.row, g.to)
		}
	}
}

func testLab(t *testing.T) (*lab, error) {
	bin := t.TempDir()
	for _, name := range []string{"brood", "bench/bare", "plugins/echo", "plugins/exec", "plugins/faulty"} {
		path := filepath.Join(bin, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, nil, 0o700); err != nil {
			return nil, err
		}
	}
	l, err := newLab(t.Context(), "quick", bin)
	if err == nil {
		t.Cleanup(l.close)
	}
	return l, err
}

// The table is to be pasted into pages.
func TestTableFitsAPage(t *testing.T) {
	const page = 110
	l, err := testLab(t)
	if err != nil {
		t.Fatal(err)
	}
	var all []result
	for _, g := range l.groups() {
		for _, r := range g.rows {
			one, figures := result{row: r}, []float64{123e6, 1234e6}
			if r.unit == percent {
				figures = []float64{12.34, 5.6}
			}
			for _, e := range g.entries {
				one.cells = append(one.cells, cell{who: e.who, role: e.role, samples: figures})
			}
			all = append(all, one)
		}
	}
	var b strings.Builder
	if err := errors.Join(render(&b, all), promises(&b, all)); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(l.header() + trimmed(b.String())) {
		if n := utf8.RuneCountInString(line); n > page+1 {
			t.Errorf("%d wide: %s", n-1, line)
		}
	}
}

func TestSelected(t *testing.T) {
	all := []group{{rows: []row{{"one", plain}, {"two", plain}}}, {rows: []row{{"three", plain}}}}
	for pattern, want := range map[string]int{"": 2, "^two$": 1, "^t": 2, "four": 0} {
		if got := selected(slices.Clone(all), regexp.MustCompile(pattern)); len(got) != want {
			t.Errorf("%q selects %d groups", pattern, len(got))
		}
	}
}

func TestTrimmed(t *testing.T) {
	if got := trimmed("a  \n\nb c \n"); got != "a\n\nb c\n" {
		t.Errorf("%q", got)
	}
}
