package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

func TestPrintWritesWholeLines(t *testing.T) {
	stdout, stderr := output(t, alone(t, "print", `{"stdout":"one","stderr":"two\n","lines":3}`))
	if want := strings.Repeat("one\n", 3) + `{"stdout":3,"stderr":3}` + "\n"; stdout != want {
		t.Errorf("stdout %q, want %q", stdout, want)
	}
	if want := strings.Repeat("two\n", 3); stderr != want {
		t.Errorf("stderr %q, want %q", stderr, want)
	}
}

// full takes so many bytes and then calls its function.
type full struct {
	room int
	then func() error
}

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, f.then()
	}
	return len(p), nil
}

func TestFloodEndsWithItsContextOrItsReader(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	if err := pour(ctx, &full{1 << 20, func() error { cancel(); return nil }}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := pour(t.Context(), &full{1 << 20, func() error { return io.ErrClosedPipe }}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("closed: %v", err)
	}
}

func TestBadFrameWritesGarbageToFD4(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := alone(t, "badframe", "")
	cmd.ExtraFiles = []*os.File{w, w} // fds 3 and 4
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	header := make([]byte, 16)
	if _, err := io.ReadFull(r, header); err != nil || !bytes.Equal(header, bytes.Repeat([]byte{0xff}, 16)) {
		t.Errorf("read %x, %v", header, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Errorf("it did not wait: %v", err)
	}
	_ = cmd.Wait()
}
