package scoreboard_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/brood-run/brood/ipc/scoreboard"
)

func benchBoard(b *testing.B) *scoreboard.Board {
	b.Helper()
	board, f, err := scoreboard.Create()
	if err != nil {
		b.Skip(err)
	}
	b.Cleanup(func() { board.Close(); f.Close() })
	return board
}

// BenchmarkBegin is what a worker pays before each handler.
func BenchmarkBegin(b *testing.B) {
	board := benchBoard(b)
	b.ReportAllocs()
	for seq := uint64(0); b.Loop(); seq++ {
		board.Begin(seq, 0, 0, 0)
	}
}

// BenchmarkWritten is what it pays to know how much was printed, for each stream.
func BenchmarkWritten(b *testing.B) {
	board := benchBoard(b)
	r, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	fd := w.Fd()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := board.Written(scoreboard.Stdout, fd); !ok {
			b.Fatal("nothing known")
		}
	}
}

// BenchmarkCurrent is what the supervisor pays to look.
func BenchmarkCurrent(b *testing.B) {
	board := benchBoard(b)
	board.Begin(1, 2, 3, 4)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, _, _, ok := board.Current(); !ok {
			b.Fatal("torn")
		}
	}
}

// BenchmarkOutbox holds results back until so many bytes are there to be written.
func BenchmarkOutbox(b *testing.B) {
	for _, size := range []int{64, 4 << 10} {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			o := benchBoard(b).Outbox(0)
			result := make([]byte, size)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				free := o.Free()
				if cap(free) < size {
					o.Written()
					free = o.Free()
				}
				o.Add(len(append(free, result...)))
			}
		})
	}
}
