package cli

import (
	"bytes"
	"io"
)

// keepHead is how much of an oversized line is kept, to find its id.
const keepHead = 64 << 10

// line is one line of input without its end.
type line struct {
	number int    // from 1
	text   []byte // valid until the next call
	size   int    // its length; more than len(text) if it was too long to keep
	raw    int    // bytes it takes in the input, its newline apart
}

func (l line) tooLong() bool { return l.size > len(l.text) }

// lineReader cuts blocks into lines. A line over max bytes is read past without
// being held. Not safe for concurrent use.
type lineReader struct {
	next   func() ([]byte, error) // a block, valid until the next call
	max    int
	number int
	rest   []byte // of the current block
	start  []byte // of a line that began in an earlier block
	err    error  // from next, given out once the lines before it are
}

// read returns the next line, or next's error after the last.
func (r *lineReader) read() (line, error) {
	r.start = r.start[:0]
	if cap(r.start) > 4*blockSize {
		r.start = nil // one huge line must not pin its memory for ever
	}
	size := 0
	for {
		if i := bytes.IndexByte(r.rest, '\n'); i >= 0 {
			part := r.rest[:i]
			r.rest = r.rest[i+1:]
			return r.finish(part, size+i), nil
		}
		size += len(r.rest)
		r.hold(r.rest, size)
		r.rest = nil
		if r.err == nil {
			r.rest, r.err = r.next()
			continue
		}
		// The last line may lack its newline, but half a line is none: what an
		// interrupt or a read error cut off must not be taken for malformed.
		if size > 0 && r.err == io.EOF {
			return r.finish(nil, size), nil
		}
		return line{}, r.err
	}
}

// hold keeps a part of a line, size bytes of which are known, if it is not too long.
func (r *lineReader) hold(part []byte, size int) {
	switch {
	case size <= r.max:
		r.start = append(r.start, part...)
	case len(r.start) < keepHead:
		r.start = append(r.start, part[:min(len(part), keepHead-len(r.start))]...)
	}
}

// finish ends a line with its last part.
func (r *lineReader) finish(part []byte, size int) line {
	r.number++
	if len(r.start) == 0 && size <= r.max {
		return r.line(part, size)
	}
	r.hold(part, size)
	if size > r.max {
		return line{number: r.number, text: r.start[:min(len(r.start), keepHead, size-1)], size: size, raw: size}
	}
	return r.line(r.start, size)
}

// line drops what some systems put around lines: a byte order mark before the
// first and a carriage return after each.
func (r *lineReader) line(text []byte, size int) line {
	if r.number == 1 {
		text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	}
	text = bytes.TrimSuffix(text, []byte("\r"))
	return line{number: r.number, text: text, size: len(text), raw: size}
}
