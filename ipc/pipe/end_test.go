package pipe_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/brood-run/brood/ipc/pipe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ends returns a pipe as its two Ends.
func ends(t testing.TB) (r, w *pipe.End) {
	t.Helper()
	fr, fw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fr.Close(); fw.Close() })
	if r, err = pipe.New(fr); err != nil {
		t.Fatal(err)
	}
	if w, err = pipe.New(fw); err != nil {
		t.Fatal(err)
	}
	return r, w
}

// TestStream sends far more than a pipe holds, in pieces of any size.
func TestStream(t *testing.T) {
	r, w := ends(t)
	sent, got := sha256.New(), sha256.New()
	wrote := make(chan error, 1)
	go func() {
		defer w.File().Close()
		b := make([]byte, 300<<10)
		for range 100 {
			piece := b[:rand.IntN(len(b))]
			for i := range piece {
				piece[i] = byte(rand.Uint32())
			}
			sent.Write(piece)
			if n, err := w.Write(piece); err != nil || n != len(piece) {
				wrote <- errors.Join(err, io.ErrShortWrite)
				return
			}
		}
		wrote <- nil
	}()
	if _, err := io.Copy(got, r); err != nil {
		t.Error(err)
	}
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(sent.Sum(nil), got.Sum(nil)) {
		t.Error("what was read is not what was written")
	}
}

// A writer whose reader is gone, and anybody whose own end is closed, is told.
func TestEndsOfTheStream(t *testing.T) {
	r, w := ends(t)
	if n, err := r.Read(nil); n != 0 || err != nil {
		t.Errorf("reading nothing: %d, %v", n, err)
	}
	r.File().Close()
	if _, err := w.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write without a reader: %v", err)
	}
	if _, err := r.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("read of a closed end: %v", err)
	}
	w.File().Close()
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("a closed end was written to")
	}
}

// Closing an end wakes whoever waits in it.
func TestCloseWakes(t *testing.T) {
	r, w := ends(t)
	full := make(chan error, 1)
	go func() {
		_, err := w.Write(make([]byte, 1<<20))
		full <- err
	}()
	first := make([]byte, 1)
	if _, err := io.ReadFull(r, first); err != nil { // the writer is at it
		t.Fatal(err)
	}
	w.File().Close()
	if err := <-full; err == nil {
		t.Error("the writer got no error")
	}
}

func TestDeadline(t *testing.T) {
	r, _ := ends(t)
	if err := r.File().SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkWriteRead(b *testing.B) {
	r, w := ends(b)
	buf := make([]byte, 128)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := r.Read(buf); err != nil {
			b.Fatal(err)
		}
	}
}

// TestReadNow takes what is there past a deadline, and says when that is nothing.
func TestReadNow(t *testing.T) {
	r, w := ends(t)
	if err := r.File().SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("rest")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	if n, err := r.ReadNow(b); err != nil || string(b[:n]) != "rest" {
		t.Errorf("%q, %v", b[:n], err)
	}
	if _, err := r.ReadNow(b); !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("of nothing: %v", err)
	}
	w.File().Close()
	if _, err := r.ReadNow(b); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

// TestSpinningEnds has two goroutines answer each other, as a supervisor and a worker do.
func TestSpinningEnds(t *testing.T) {
	there, here := ends(t)
	back, answer := ends(t)
	there.Spin()
	back.Spin()
	done := make(chan error, 1)
	go func() {
		defer answer.File().Close()
		_, err := io.Copy(answer, there)
		done <- err
	}()
	b := make([]byte, 8)
	for i := range 1000 {
		b[0] = byte(i)
		if _, err := here.Write(b); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(back, b); err != nil || b[0] != byte(i) {
			t.Fatalf("answer %d: %d, %v", i, b[0], err)
		}
	}
	here.File().Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
