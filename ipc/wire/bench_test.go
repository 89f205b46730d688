package wire_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/brood-run/brood/ipc/wire"
)

// sizes of payloads that benchmarks measure.
var sizes = []int{64, 4 << 10, 1 << 20}

func benchExecute(size int) *wire.Execute {
	return &wire.Execute{
		Seq: 7, Attempt: 1, MaxAttempts: 3, Name: "echo",
		TaskID: "0190b0a0-0000-7000-8000-000000000000", Payload: make([]byte, size),
	}
}

func benchResult(size int) *wire.Result {
	return &wire.Result{Seq: 7, Flags: wire.ResultFlagOutput, RunNS: 1000, CPUNS: 500, Payload: make([]byte, size)}
}

func BenchmarkEncode(b *testing.B) {
	for _, size := range sizes {
		e, r := benchExecute(size), benchResult(size)
		benchEncode(b, "execute", size, func(dst []byte) []byte { return wire.AppendExecute(dst, e) })
		benchEncode(b, "result", size, func(dst []byte) []byte { return wire.AppendResult(dst, r) })
	}
}

func benchEncode(b *testing.B, frame string, size int, encode func([]byte) []byte) {
	b.Run(fmt.Sprintf("frame=%s/bytes=%d", frame, size), func(b *testing.B) {
		var dst []byte
		b.ReportAllocs()
		b.SetBytes(int64(size))
		for b.Loop() {
			dst = encode(dst[:0])
		}
	})
}

// BenchmarkDecode has no sizes: a payload is never copied.
func BenchmarkDecode(b *testing.B) {
	benchDecode(b, "execute", wire.AppendExecute(nil, benchExecute(64)), func(f wire.Frame) error {
		_, err := wire.DecodeExecute(f)
		return err
	})
	benchDecode(b, "result", wire.AppendResult(nil, benchResult(64)), func(f wire.Frame) error {
		_, err := wire.DecodeResult(f)
		return err
	})
}

func benchDecode(b *testing.B, frame string, encoded []byte, decode func(wire.Frame) error) {
	f, err := wire.NewReader(bytes.NewReader(encoded), 0).Next()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("frame="+frame, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := decode(f); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// endless repeats frames for ever, as a pipe that is never empty: each read ends where the
// pipe's 64 KiB do.
type endless struct {
	frames []byte
	at     int
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for limit := min(len(p), 64<<10); n < limit; {
		k := copy(p[n:limit], e.frames[e.at:])
		n += k
		e.at = (e.at + k) % len(e.frames)
	}
	return n, nil
}

// BenchmarkReader takes frames off a stream, of one size or of both in turn.
func BenchmarkReader(b *testing.B) {
	for _, mix := range [][]int{{64}, {4 << 10}, {1 << 20}, {64, 1 << 20}} {
		var frames []byte
		sum := 0
		for _, size := range mix {
			frames = wire.AppendResult(frames, benchResult(size))
			sum += size
		}
		b.Run(fmt.Sprintf("bytes=%s", join(mix)), func(b *testing.B) {
			r := wire.NewReader(&endless{frames: frames}, 0)
			b.ReportAllocs()
			b.SetBytes(int64(sum / len(mix)))
			for b.Loop() {
				if _, err := r.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func join(sizes []int) string {
	text := fmt.Sprint(sizes[0])
	for _, size := range sizes[1:] {
		text += fmt.Sprintf("+%d", size)
	}
	return text
}
