package main

import "unicode/utf8"

// capture keeps a bounded part of a stream: its head, or its tail. It belongs
// to the goroutine that reads the stream, until that has ended.
type capture struct {
	buf   []byte
	limit int
	tail  bool // keep the end rather than the beginning
	cut   bool // something was dropped
}

// Write takes p; it never fails, so that a command is never blocked by its output.
func (c *capture) Write(p []byte) (int, error) {
	n := len(p)
	if c.tail {
		c.writeTail(p)
		return n, nil
	}
	if room := c.limit - len(c.buf); len(p) > room {
		p, c.cut = p[:room], true
	}
	c.buf = append(c.buf, p...)
	return n, nil
}

// writeTail lets the buffer grow to twice the limit before it moves the end
// down, so that each byte is moved once on average.
func (c *capture) writeTail(p []byte) {
	if len(p) > c.limit {
		p, c.cut = p[len(p)-c.limit:], true
	}
	if len(c.buf)+len(p) > 2*c.limit {
		keep := c.limit - len(p)
		c.buf = c.buf[:copy(c.buf, c.buf[len(c.buf)-keep:])]
		c.cut = true
	}
	c.buf = append(c.buf, p...)
}

// bytes returns what was kept and whether something is missing. A character that the
// limit cut in two is left out, so that the rest stays text.
func (c *capture) bytes() ([]byte, bool) {
	b := c.buf
	if c.tail {
		if len(b) > c.limit {
			b, c.cut = b[len(b)-c.limit:], true
		}
		if c.cut {
			b = trimFirstRune(b)
		}
	} else if c.cut {
		b = trimLastRune(b)
	}
	return b, c.cut
}

// trimFirstRune drops up to three continuation bytes at the beginning.
func trimFirstRune(b []byte) []byte {
	for i := 0; i < len(b) && i < utf8.UTFMax; i++ {
		if utf8.RuneStart(b[i]) {
			return b[i:]
		}
	}
	return b
}

// trimLastRune drops an incomplete character at the end.
func trimLastRune(b []byte) []byte {
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return b[:i]
			}
			break
		}
	}
	return b
}
