package wire

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/brood-run/brood/ipc"
)

const (
	// A Reader starts with quietBuffer, enough for a worker that waits, of which there
	// may be thousands, and goes on with readBuffer when a read has filled that.
	quietBuffer = 4 << 10
	readBuffer  = 64 << 10
	// keepBuffer is the largest buffer a Reader holds on to for long, and keepFor how
	// many small frames in a row make it let go of a larger one: frames of one size
	// tend to come in a row, and growing a buffer anew for each is what makes them slow.
	keepBuffer = 1 << 20
	keepFor    = 64
)

// Reader takes frames off a stream. Not safe for concurrent use.
type Reader struct {
	src     io.Reader
	buf     []byte // buf[r:w] is read and not yet returned
	r, w    int
	maxBody int
	small   int // refills for small frames since the last large one
}

// NewReader returns a Reader that refuses frame bodies over maxBody bytes
// (DefaultMaxBody if maxBody <= 0).
func NewReader(src io.Reader, maxBody int) *Reader {
	if maxBody <= 0 {
		maxBody = DefaultMaxBody
	}
	return &Reader{src: src, buf: make([]byte, quietBuffer), maxBody: maxBody}
}

// SetLimit changes the largest frame body accepted, from the next frame on.
func (d *Reader) SetLimit(maxBody int) { d.maxBody = maxBody }

// Reset goes on with another stream; what was read of the old one is forgotten.
func (d *Reader) Reset(src io.Reader) { d.src, d.r, d.w = src, 0, 0 }

// Next returns the next frame. Its body is valid until the next call. At a clean
// end of the stream it returns io.EOF; inside a frame, io.ErrUnexpectedEOF.
func (d *Reader) Next() (Frame, error) {
	f, n, err := d.await()
	if err != nil {
		return Frame{}, err
	}
	f.Body = d.buf[d.r+HeaderSize : d.r+HeaderSize+n : d.r+HeaderSize+n]
	d.r += HeaderSize + n
	return f, nil
}

// Await waits until Next can return without reading from the stream. Its errors are Next's.
func (d *Reader) Await() error {
	_, _, err := d.await()
	return err
}

// await makes the next frame available, whose body has n bytes.
func (d *Reader) await() (f Frame, n int, err error) {
	if err := d.fill(HeaderSize); err != nil {
		return f, 0, err
	}
	if f, n, err = d.header(); err != nil {
		return f, 0, err
	}
	if err = d.fill(HeaderSize + n); err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return f, n, err
}

// Buffered says whether Next can return without reading from the stream: a whole
// frame, or a broken header, is already here.
func (d *Reader) Buffered() bool {
	if d.w-d.r < HeaderSize {
		return false
	}
	_, n, err := d.header()
	return err != nil || d.w-d.r >= HeaderSize+n
}

// Peek returns the type of the frame that Next will return without reading from the
// stream or moving what was returned before; ok is false if it would have to.
func (d *Reader) Peek() (t ipc.Type, ok bool) {
	if !d.Buffered() {
		return 0, false
	}
	return ipc.Type(d.buf[d.r+4]), true
}

func (d *Reader) header() (Frame, int, error) {
	h := d.buf[d.r : d.r+HeaderSize]
	n := binary.LittleEndian.Uint32(h)
	f := Frame{Type: ipc.Type(h[4]), Flags: h[5], ID: binary.LittleEndian.Uint64(h[8:])}
	if uint64(n) > uint64(d.maxBody) {
		return f, 0, fmt.Errorf("%w: type %d, %d bytes, limit %d", ErrTooLarge, f.Type, n, d.maxBody)
	}
	if h[6] != 0 || h[7] != 0 {
		return f, 0, fmt.Errorf("%w: type %d, reserved bytes are not zero", ErrMalformed, f.Type)
	}
	return f, int(n), nil
}

// fill makes at least n bytes available from d.r on. The buffer grows as bytes
// arrive, never on the word of a header alone.
func (d *Reader) fill(n int) error {
	for d.w-d.r < n {
		d.makeRoom(n)
		m, err := d.src.Read(d.buf[d.w:])
		d.w += m
		if d.w == len(d.buf) && d.w < readBuffer {
			d.resize(readBuffer)
		}
		if m > 0 {
			continue
		}
		if err == nil {
			err = io.ErrNoProgress
		}
		if err == io.EOF && d.w > d.r {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	return nil
}

func (d *Reader) makeRoom(n int) {
	if n > readBuffer {
		d.small = 0
	}
	if d.r == d.w {
		d.r, d.w = 0, 0
		if d.small++; len(d.buf) > keepBuffer && d.small > keepFor {
			d.buf = make([]byte, readBuffer)
		}
	}
	if d.w < len(d.buf) && d.r+n <= len(d.buf) {
		return
	}
	if d.r > 0 {
		d.w = copy(d.buf, d.buf[d.r:d.w])
		d.r = 0
	}
	if d.w == len(d.buf) {
		d.resize(min(2*len(d.buf), max(n, readBuffer)))
	}
}

func (d *Reader) resize(n int) {
	grown := make([]byte, n)
	copy(grown, d.buf[:d.w])
	d.buf = grown
}
