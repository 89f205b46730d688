package scoreboard_test

import (
	"testing"

	"github.com/brood-run/brood/ipc/scoreboard"
)

func TestBeatsAreSeenOnTheOtherSide(t *testing.T) {
	worker, supervisor := pair(t)
	if n, v := supervisor.Beats(), supervisor.Vitals(); n != 0 || v != (scoreboard.Vitals{}) {
		t.Errorf("a new page has %d beats and %+v", n, v)
	}
	for n := uint64(1); n <= 3; n++ {
		want := scoreboard.Vitals{Running: n, Queued: 2 * n, HeapBytes: 3 * n, Goroutines: 4 * n}
		worker.Beat(want)
		if got, v := supervisor.Beats(), supervisor.Vitals(); got != n || v != want {
			t.Errorf("%d beats and %+v, want %d and %+v", got, v, n, want)
		}
	}
	if seq, stdout, stderr, cpu, ok := supervisor.Current(); !ok || seq+stdout+stderr+cpu != 0 || supervisor.Leftover(0) != nil {
		t.Error("beats changed what the page says of tasks")
	}
}

func BenchmarkBeat(b *testing.B) {
	board, f, err := scoreboard.Create()
	if err != nil {
		b.Skip(err)
	}
	defer f.Close()
	defer board.Close()
	for b.Loop() {
		board.Beat(scoreboard.Vitals{Running: 1})
	}
}
