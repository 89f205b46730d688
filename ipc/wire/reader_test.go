package wire_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"slices"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

// TestReaderReturnsWhatWasWritten cuts a stream of frames into arbitrary reads.
func TestReaderReturnsWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frames := rapid.SliceOfN(rapid.Custom(drawFrame), 0, 12).Draw(t, "frames")
		var stream []byte
		for _, f := range frames {
			stream = wire.AppendFrame(stream, f)
		}
		cut := rapid.IntRange(0, len(stream)).Draw(t, "cut")
		whole := rapid.Bool().Draw(t, "whole")
		if whole {
			cut = len(stream)
		}
		chunk := max(rapid.IntRange(1, 100_000).Draw(t, "chunk"), len(stream)/500)
		r := wire.NewReader(&chunks{stream[:cut], chunk}, 0)
		end := 0
		for _, want := range frames {
			end += wire.HeaderSize + len(want.Body)
			if end > cut {
				break
			}
			peek, ahead := r.Peek()
			got, err := r.Next()
			if err != nil || got.Type != want.Type || got.Flags != want.Flags || got.ID != want.ID || !bytes.Equal(got.Body, want.Body) {
				t.Fatalf("frame %d of %d bytes: %v, want %d of %d bytes", got.Type, len(got.Body), err, want.Type, len(want.Body))
			}
			if ahead && peek != want.Type {
				t.Fatalf("Peek says %d, then came %d", peek, want.Type)
			}
		}
		if _, err := r.Next(); err != io.EOF && err != io.ErrUnexpectedEOF || whole && err != io.EOF {
			t.Fatalf("at the end: %v", err)
		}
	})
}

func drawFrame(t *rapid.T) wire.Frame {
	size := rapid.OneOf(rapid.IntRange(0, 40), rapid.IntRange(0, 40), rapid.IntRange(60_000, 70_000), rapid.Just(1200<<10)).Draw(t, "size")
	return wire.Frame{
		Type: ipc.Type(rapid.Byte().Draw(t, "type")), Flags: rapid.Byte().Draw(t, "flags"),
		ID: rapid.Uint64().Draw(t, "id"), Body: bytes.Repeat([]byte{byte(size)}, size),
	}
}

// chunks is a reader that hands out at most n bytes at a time.
type chunks struct {
	rest []byte
	n    int
}

func (c *chunks) Read(b []byte) (int, error) {
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), c.n)], c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func TestReaderErrors(t *testing.T) {
	frame := wire.AppendFrame(nil, wire.Frame{Type: ipc.TypeDrain, Body: make([]byte, 100)})
	reserved := append([]byte(nil), frame...)
	reserved[7] = 1
	broken := errors.New("broken pipe")
	for name, c := range map[string]struct {
		src  io.Reader
		max  int
		want error
	}{
		"nothing":         {bytes.NewReader(nil), 0, io.EOF},
		"half a header":   {bytes.NewReader(frame[:9]), 0, io.ErrUnexpectedEOF},
		"no body":         {bytes.NewReader(frame[:16]), 0, io.ErrUnexpectedEOF},
		"half a body":     {bytes.NewReader(frame[:50]), 0, io.ErrUnexpectedEOF},
		"over the limit":  {bytes.NewReader(frame), 99, wire.ErrTooLarge},
		"reserved bytes":  {bytes.NewReader(reserved), 0, wire.ErrMalformed},
		"a failing read":  {iotest.ErrReader(broken), 0, broken},
		"a stuck reader":  {stuck{}, 0, io.ErrNoProgress},
		"exactly at most": {bytes.NewReader(frame), 100, nil},
	} {
		if _, err := wire.NewReader(c.src, c.max).Next(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestReaderBuffersWhatComes has a reader offer its stream little room as long as little comes,
// and much from the first time on that a read fills it.
func TestReaderBuffersWhatComes(t *testing.T) {
	var room []int
	frame := wire.AppendHeader(nil, ipc.TypeDrain, 0, 0, 0)
	trickle := iotest.OneByteReader(bytes.NewReader(bytes.Repeat(frame, 500)))
	flood := bytes.NewReader(bytes.Repeat(frame, 20_000))
	r := wire.NewReader(readerFunc(func(b []byte) (int, error) {
		room = append(room, len(b))
		if n, err := trickle.Read(b); err == nil {
			return n, nil
		}
		return flood.Read(b)
	}), 0)
	for n := range 500 {
		if _, err := r.Next(); err != nil {
			t.Fatalf("frame %d: %v", n, err)
		}
	}
	if most := slices.Max(room); most > 4<<10 {
		t.Errorf("a quiet stream is offered %d bytes", most)
	}
	room = nil
	for n := range 20_000 {
		if f, err := r.Next(); err != nil || f.Type != ipc.TypeDrain {
			t.Fatalf("frame %d: %v, %v", n, f, err)
		}
	}
	if len(room) > 10 {
		t.Errorf("320 kB took %d reads", len(room))
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// TestReaderDoesNotBelieveTheHeader reads a header that promises a gigabyte which
// never comes: no buffer of that size may be made.
func TestReaderDoesNotBelieveTheHeader(t *testing.T) {
	header := wire.AppendHeader(nil, ipc.TypeExecute, 0, 1, 1<<30)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := wire.NewReader(bytes.NewReader(header), 1<<30).Next(); err != io.ErrUnexpectedEOF {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes allocated for a header", n)
	}
}
