package mend

import (
	"bytes"
	"encoding/binary"
)

// hole is a range of a block in which no record is good.
type hole struct {
	from, to      int
	after, before uint64 // the sequences around it; 0: there is none in this block
	torn          bool   // the end of a record that was being written
	zero          bool   // nothing but zeros
	records       []record
	exact         bool // records are all that was there, as far as their heads can be trusted
}

// mostHashed bounds what is hashed to find the end of a hole: whoever submits tasks decides what is in the
// messages, and may have made them look like the beginnings of large records.
const mostHashed = 256 << 20

// walk calls see with each good record of a block, and returns the holes between them.
func (h hasher) walk(buf []byte, see func(record)) (holes []hole) {
	var last uint64
	budget := mostHashed
	for at := 0; at < len(buf); {
		r, ok := h.read(buf[at:])
		if !ok {
			end := h.find(buf, at+1, last, &budget)
			holes = append(holes, examine(buf, at, end, last))
			at = end
			continue
		}
		if r.kind != removal {
			for n := len(holes); n > 0 && holes[n-1].before == 0; n-- {
				holes[n-1].before = r.seq
			}
		}
		if r.kind != removal && r.seq > last {
			last = r.seq
		}
		see(r)
		at += r.size
	}
	return holes
}

// find returns where the next good record begins, the end of the buffer if there is none. It looks at each byte: the
// lengths of what is damaged lead anywhere.
func (h hasher) find(buf []byte, at int, last uint64, budget *int) int {
	for ; at+leastRecord <= len(buf); at++ {
		r, ok := frame(buf[at:])
		if !ok || r.seq == 0 || r.kind != removal && r.seq <= last {
			continue
		}
		if *budget -= r.size; *budget < 0 {
			break
		}
		if _, ok = h.read(buf[at:]); ok {
			return at
		}
	}
	return len(buf)
}

// examine finds out what may have been in a hole.
func examine(buf []byte, from, to int, last uint64) hole {
	o := hole{from: from, to: to, after: last}
	o.zero = len(bytes.Trim(buf[from:to], "\x00")) == 0
	at := from
	for at < to {
		r, ok := head(buf[at:to])
		// A block has sequences without messages only where many messages were removed: what jumps far is damaged.
		if !ok || r.kind != removal && (r.seq <= last || r.seq-last > mostJump && last > 0) {
			break
		}
		r.subject = subjectOf(buf[at : at+r.size])
		if r.kind != removal {
			last = r.seq
		}
		o.records = append(o.records, r)
		at += r.size
	}
	o.exact = at == to
	o.torn = to == len(buf) && (o.zero || !o.exact && unfinished(buf[at:]))
	return o
}

const mostJump = 1 << 20

// subjectOf is what seems to be the subject of a record that is not good, empty if it cannot be one.
func subjectOf(buf []byte) []byte {
	n := int(binary.LittleEndian.Uint16(buf[20:]))
	if n > len(buf)-leastRecord || !letters(buf[headSize:headSize+n]) {
		return nil
	}
	return buf[headSize : headSize+n]
}

// unfinished says that a record would go on behind the end.
func unfinished(buf []byte) bool {
	if len(buf) < headSize {
		return true
	}
	size := int(binary.LittleEndian.Uint32(buf) &^ headerBit)
	return size > len(buf) && size <= mostRecord
}

// without returns a block without its holes.
func without(buf []byte, holes []hole) []byte {
	kept := make([]byte, 0, len(buf)+leastRecord)
	at := 0
	for _, o := range holes {
		kept = append(kept, buf[at:o.from]...)
		at = o.to
	}
	return append(kept, buf[at:]...)
}
