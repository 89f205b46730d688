package scoreboard_test

import (
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/brood-run/brood/ipc/scoreboard"
)

// create makes a page, or skips the test where there are none.
func create(t *testing.T) (*scoreboard.Board, *os.File) {
	t.Helper()
	b, f, err := scoreboard.Create()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close(); f.Close() })
	return b, f
}

func TestCurrentIsNeverTorn(t *testing.T) {
	ours, f := create(t)
	theirs, err := scoreboard.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	const last = 200_000
	var worker sync.WaitGroup
	worker.Go(func() {
		for n := uint64(1); n <= last; n++ {
			theirs.Begin(n, 2*n, 3*n, 4*n)
		}
	})
	for before := uint64(0); before < last; {
		seq, stdout, stderr, cpu, ok := ours.Current()
		if !ok {
			continue
		}
		if seq < before || stdout != 2*seq || stderr != 3*seq || cpu != 4*seq {
			t.Errorf("after %d: %d, %d, %d, %d", before, seq, stdout, stderr, cpu)
			break
		}
		before = seq
	}
	worker.Wait()
	if got := ours.Started(); got != last {
		t.Errorf("started %d, want %d", got, last)
	}
}

func TestWritten(t *testing.T) {
	b, _ := create(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	conn, err := w.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	want := func(n uint64, wantOK bool) {
		t.Helper()
		err := conn.Control(func(fd uintptr) {
			if got, ok := b.Written(scoreboard.Stderr, fd); got != n || ok != wantOK {
				t.Errorf("written %d, %v, want %d, %v", got, ok, n, wantOK)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	want(0, true)
	w.WriteString("hello")
	want(5, true)
	b.BeginRead(scoreboard.Stderr)
	want(0, false) // somewhere in the middle of a read
	n, _ := r.Read(make([]byte, 3))
	b.EndRead(scoreboard.Stderr, n)
	want(5, true)
	b.BeginRead(scoreboard.Stderr)
	b.EndRead(scoreboard.Stderr, -1) // a read that failed
	want(5, true)
	b.BeginRead(scoreboard.Stdout) // the other stream does not matter
	want(5, true)
	b.EndRead(scoreboard.Stdout, 1000)
	want(5, true)
}

func TestWrittenOfWhatIsNoPipe(t *testing.T) {
	b, _ := create(t)
	dir, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if n, ok := b.Written(scoreboard.Stdout, dir.Fd()); ok {
		t.Errorf("%s has %d bytes written", os.DevNull, n)
	}
}

func TestCurrentOfAWorkerThatDiedWriting(t *testing.T) {
	b, f := create(t)
	b.Begin(1, 2, 3, 4)
	// Its last update got as far as the first word: gen is odd.
	if _, err := f.WriteAt([]byte{3}, 0); err != nil {
		t.Fatal(err)
	}
	if seq, _, _, _, ok := b.Current(); ok {
		t.Errorf("current is %d, want none", seq)
	}
}

func TestPageKeepsItsSize(t *testing.T) {
	_, f := create(t)
	for _, size := range []int64{0, scoreboard.Size - 1, 2 * scoreboard.Size} {
		if err := f.Truncate(size); err == nil {
			t.Errorf("the page could be made %d bytes long", size)
		}
	}
}

func TestOpenRefusesOtherFiles(t *testing.T) {
	create(t) // or skip
	f, err := os.CreateTemp(t.TempDir(), "page")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := scoreboard.Open(f); err == nil {
		t.Error("an empty file passed for a page")
	}
	f.Close()
	if _, err := scoreboard.Open(f); err == nil {
		t.Error("a closed file passed for a page")
	}
}

func TestCloseTwice(t *testing.T) {
	b, _ := create(t)
	if err := errors.Join(b.Close(), b.Close()); err != nil {
		t.Error(err)
	}
}
