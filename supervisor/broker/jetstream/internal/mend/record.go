package mend

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	"github.com/minio/highwayhash"
)

// A block is a sequence of records, little-endian:
//
//	size 4, sequence 8, time 8, length of the subject 2, subject, [length of the header 4, header,] data, checksum 8
//
// The first bit of the size says that there is a header, the first two of the sequence what kind of record it is. The
// checksum covers all but the lengths.
const (
	headSize    = 22
	sumSize     = 8
	leastRecord = headSize + sumSize
	mostRecord  = 32 << 20

	headerBit  = 1 << 31
	erasedBit  = 1 << 63
	removalBit = 1 << 62
)

type kind int

const (
	message kind = iota
	erased       // a message was there
	removal      // a message, in any block, is no more
)

// record is one of a block. Its bytes are the block's.
type record struct {
	kind    kind
	size    int
	seq     uint64
	subject []byte
	data    []byte
}

// head reads how long a record is and what it is, if that can be true.
func head(buf []byte) (r record, ok bool) {
	if len(buf) < leastRecord {
		return r, false
	}
	size := binary.LittleEndian.Uint32(buf)
	r.size, r.seq = int(size&^headerBit), binary.LittleEndian.Uint64(buf[4:])
	switch {
	case r.seq&removalBit != 0:
		r.kind = removal
	case r.seq&erasedBit != 0:
		r.kind = erased
	}
	r.seq &^= erasedBit | removalBit
	return r, r.size >= leastRecord && r.size <= min(len(buf), mostRecord) && (r.kind != removal || r.size == leastRecord)
}

// frame reads a record as a whole, if it may be one. Its checksum has not been looked at, which says nothing of the
// lengths: a subject ends where its letters do, a header with an empty line.
func frame(buf []byte) (r record, ok bool) {
	if r, ok = head(buf); !ok {
		return r, false
	}
	subject := int(binary.LittleEndian.Uint16(buf[20:]))
	hasHeader := buf[3]&(headerBit>>24) != 0
	if r.kind != message {
		return r, subject == 0 && !hasHeader
	}
	body := buf[headSize : r.size-sumSize]
	if subject == 0 || subject > len(body) || !letters(body[:subject]) {
		return r, false
	}
	r.subject, r.data = body[:subject], body[subject:]
	if !hasHeader {
		return r, len(r.data) == 0 || !letter[r.data[0]] || string(r.data) == pausedFlag
	}
	if len(r.data) < 4 {
		return r, false
	}
	header := binary.LittleEndian.Uint32(r.data)
	if uint64(header) > uint64(len(r.data)-4) || !bytes.HasSuffix(r.data[4:4+header], []byte("\r\n\r\n")) {
		return r, false
	}
	r.data = r.data[4+header:]
	return r, true
}

// pausedFlag is the only message that begins with a letter.
const pausedFlag = "paused"

// letter is what subjects consist of.
var letter = func() (set [256]bool) {
	for c := range set {
		set[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || bytes.IndexByte([]byte(".-_="), byte(c)) >= 0
	}
	return set
}()

func letters(text []byte) bool {
	for _, c := range text {
		if !letter[c] {
			return false
		}
	}
	return true
}

// hasher makes the checksums of a stream, of a consumer as stream/consumer, or of a block as stream-number.
type hasher struct{ digest *highwayhash.Digest64 }

func newHasher(name string) hasher {
	key := sha256.Sum256([]byte(name))
	digest, err := highwayhash.NewDigest64(key[:])
	if err != nil {
		panic(err) // the key has the wrong length
	}
	return hasher{digest}
}

// sum is the checksum of the parts.
func (h hasher) sum(parts ...[]byte) []byte {
	h.digest.Reset()
	for _, part := range parts {
		_, _ = h.digest.Write(part) // which cannot fail
	}
	return h.digest.Sum(nil)
}

// read returns the record that the buffer begins with, if it is good.
func (h hasher) read(buf []byte) (record, bool) {
	r, ok := frame(buf)
	if !ok {
		return r, false
	}
	rest := buf[headSize+len(r.subject) : r.size-sumSize]
	if buf[3]&(headerBit>>24) != 0 {
		rest = rest[4:]
	}
	var sum [sumSize]byte
	h.digest.Reset()
	for _, part := range [][]byte{buf[4:20], r.subject, rest} {
		_, _ = h.digest.Write(part) // which cannot fail
	}
	return r, bytes.Equal(h.digest.Sum(sum[:0]), buf[r.size-sumSize:r.size])
}

// appendErased adds the record of a message that is no more: the sequence goes on after it.
func (h hasher) appendErased(buf []byte, seq uint64) []byte {
	at := len(buf)
	buf = binary.LittleEndian.AppendUint32(buf, leastRecord)
	buf = binary.LittleEndian.AppendUint64(buf, seq|erasedBit)
	buf = append(buf, make([]byte, 8+2)...)
	return append(buf, h.sum(buf[at+4:at+20])...)
}
