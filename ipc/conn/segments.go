package conn

import "io"

// keepHead is the largest write buffer kept between flushes.
const keepHead = 256 << 10

// segments is a write buffer into which large payloads are linked instead of copied.
type segments struct {
	head  []byte
	parts []part // in order
}

// part is a payload that follows head[:end].
type part struct {
	end  int
	then []byte
}

func (s *segments) writeTo(w io.Writer) error {
	from := 0
	for _, p := range s.parts {
		if _, err := w.Write(s.head[from:p.end]); err != nil {
			return err
		}
		if _, err := w.Write(p.then); err != nil {
			return err
		}
		from = p.end
	}
	if from == len(s.head) {
		return nil
	}
	_, err := w.Write(s.head[from:])
	return err
}

func (s *segments) reset() {
	if cap(s.head) > keepHead {
		s.head = nil
	}
	clear(s.parts)
	s.head, s.parts = s.head[:0], s.parts[:0]
}
