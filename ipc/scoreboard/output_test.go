package scoreboard_test

import (
	"os"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"github.com/brood-run/brood/ipc/scoreboard"
)

// stream is a captured pipe and what was written to it.
type stream struct {
	r, w    *os.File
	written uint64
	waiting int
}

func newStream(t *testing.T) *stream {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return &stream{r: r, w: w}
}

func (s *stream) write(t *rapid.T, n int) {
	if _, err := s.w.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	s.written += uint64(n)
	s.waiting += n
}

// read is the supervisor taking up to n bytes.
func (s *stream) read(t *rapid.T, b *scoreboard.Board, which scoreboard.Stream, n int) {
	b.BeginRead(which)
	got, err := syscall.Read(int(s.r.Fd()), make([]byte, min(n, s.waiting)))
	b.EndRead(which, got)
	if err != nil {
		t.Fatal(err)
	}
	s.waiting -= got
}

// TestOutputSeesEveryByte writes and reads in any order: a look must tell exactly whether
// anything was written since the one before, and the totals be right.
func TestOutputSeesEveryByte(t *testing.T) {
	b, _ := create(t)
	streams := [...]*stream{newStream(t), newStream(t)}
	out := b.Output(streams[0].w.Fd(), streams[1].w.Fd())
	defer out.Close()
	news := false
	rapid.Check(t, func(t *rapid.T) {
		which := rapid.IntRange(0, 1)
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				s := streams[which.Draw(t, "stream")]
				if s.waiting < 4096 {
					s.write(t, rapid.IntRange(1, 300).Draw(t, "bytes"))
					news = true
				}
			},
			"read": func(t *rapid.T) {
				i := which.Draw(t, "stream")
				streams[i].read(t, b, scoreboard.Stream(i), rapid.IntRange(0, 5000).Draw(t, "bytes"))
			},
			"look": func(t *rapid.T) {
				if got := out.Look(); got != news {
					t.Fatalf("Look = %v, want %v", got, news)
				}
				news = false
				for i, s := range streams {
					if got := out.Total(scoreboard.Stream(i)); got != s.written {
						t.Fatalf("stream %d: %d bytes, want %d", i, got, s.written)
					}
				}
			},
		})
	})
}

// What is no pipe cannot be counted: looking at it is harmless, and says nothing.
func TestOutputOfWhatIsNoPipe(t *testing.T) {
	b, _ := create(t)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	pipe := newStream(t)
	out := b.Output(null.Fd(), pipe.w.Fd())
	defer out.Close()
	if _, err := pipe.w.WriteString("abc"); err != nil {
		t.Fatal(err)
	}
	if !out.Look() || out.Look() || out.Total(scoreboard.Stderr) != 3 || out.Total(scoreboard.Stdout) != 0 {
		t.Errorf("stdout %d, stderr %d", out.Total(scoreboard.Stdout), out.Total(scoreboard.Stderr))
	}
}

func BenchmarkLook(b *testing.B) {
	board, f, err := scoreboard.Create()
	if err != nil {
		b.Skip(err)
	}
	defer f.Close()
	defer board.Close()
	r, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	out := board.Output(w.Fd(), w.Fd())
	defer out.Close()
	b.ReportAllocs()
	for b.Loop() {
		out.Look()
	}
}
