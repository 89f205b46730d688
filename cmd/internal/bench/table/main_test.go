package main

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

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
      brood                     limit       of limit  peer                          brood is
rate  200/s (100/s to 300/s)    400/s pipe  0.50      slow    20.0/s                10 x
                                                      absent  missing               
                                                      broken  FAILED: it fell over  
time  2.00 us                   -                     slow    8.00 us               4.0 x
                                                      absent  missing               
                                                      broken  FAILED: it fell over  
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

func TestScaling(t *testing.T) {
	var all []result
	for i, n := range counts {
		all = append(all, result{row: row{throughputOf(64, n), perSecond}, cells: []cell{{samples: []float64{100, 200, 400, 400, 300, 50}[i : i+1]}}})
	}
	if got := strings.TrimSpace(scaling(all)); got != "64 B with 64 workers: 0.75 of the best number of workers, 4." {
		t.Errorf("got %q", got)
	}
}
