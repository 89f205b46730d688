package policy

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func observed(w Window, run time.Duration, n int) int {
	w.Observe(run, n)
	return w.Size()
}

func TestWindowFitsTheWork(t *testing.T) {
	for _, test := range []struct {
		slots int
		run   time.Duration
		want  int
	}{
		{1, 0, 256}, {1, time.Microsecond, 250}, {1, 10 * time.Microsecond, 25}, {1, 100 * time.Microsecond, 2},
		{1, 250 * time.Microsecond, 1}, {1, time.Millisecond, 1}, {1, time.Hour, 1},
		{4, 100 * time.Microsecond, 10}, {4, time.Millisecond, 4},
	} {
		if got := observed(Window{Min: test.slots, Max: 256}, test.run, 1); got != test.want {
			t.Errorf("%d slots, tasks of %v: %d, want %d", test.slots, test.run, got, test.want)
		}
	}
}

func TestWindowUnknown(t *testing.T) {
	w := Window{Min: 3, Max: 256}
	w.Observe(time.Hour, 0)
	if w.Size() != 3 {
		t.Errorf("got %d before anything was seen", w.Size())
	}
}

func TestWindowShrinksAtOnceAndGrowsSlowly(t *testing.T) {
	w := Window{Min: 1, Max: 256}
	w.Observe(1000*time.Microsecond, 1000)
	if w.Size() != 250 {
		t.Fatalf("tasks of 1 us: %d", w.Size())
	}
	w.Observe(50*time.Microsecond, 1)
	if w.Size() != 5 {
		t.Fatalf("after one task of 50 us: %d", w.Size())
	}
	w.Observe(time.Second, 1)
	if w.Size() != 1 {
		t.Fatalf("after one long task: %d", w.Size())
	}
	w.Observe(time.Microsecond, 1)
	if w.Size() != 1 {
		t.Errorf("one quick task is enough to grow to %d", w.Size())
	}
	for range 300 {
		w.Observe(time.Microsecond, 1)
	}
	if w.Size() < 240 {
		t.Errorf("300 quick tasks are not enough to forget a long one: %d", w.Size())
	}
}

// A batch counts as its tasks one by one.
func TestWindowBatches(t *testing.T) {
	a, b := Window{Min: 1, Max: 256}, Window{Min: 1, Max: 256}
	a.Observe(time.Millisecond, 1)
	b.Observe(time.Millisecond, 1)
	a.Observe(100*time.Microsecond, 50)
	for range 50 {
		b.Observe(2*time.Microsecond, 1)
	}
	if a.Size() != b.Size() || a.Size() == 1 {
		t.Errorf("batch %d, one by one %d", a.Size(), b.Size())
	}
}

func TestWindowStaysWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.IntRange(1, 1024).Draw(t, "min")
		w := Window{Min: low, Max: low + rapid.IntRange(0, 4096).Draw(t, "more")}
		for range rapid.IntRange(0, 20).Draw(t, "observations") {
			w.Observe(time.Duration(rapid.Int64Range(-1, 1<<62).Draw(t, "run")), rapid.IntRange(-1, 1<<20).Draw(t, "n"))
			if got := w.Size(); got < w.Min || got > w.Max {
				t.Fatalf("%+v: size %d", w, got)
			}
		}
	})
}
