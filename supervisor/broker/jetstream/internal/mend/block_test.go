package mend

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"testing"
)

const testName = "brood_q_p-1"

// appendRecord adds a record as the server writes it; package jetstream tests that the server does.
func appendRecord(buf []byte, k kind, seq uint64, subject, header, data string) []byte {
	at, size := len(buf), uint32(leastRecord+len(subject)+len(data))
	rest := header + data
	if header != "" {
		size += uint32(4 + len(header))
		size |= headerBit
	}
	buf = binary.LittleEndian.AppendUint32(buf, size)
	buf = binary.LittleEndian.AppendUint64(buf, seq|map[kind]uint64{erased: erasedBit, removal: removalBit}[k])
	buf = binary.LittleEndian.AppendUint64(buf, 1_700_000_000_000_000_000+seq)
	buf = binary.LittleEndian.AppendUint16(buf, uint16(len(subject)))
	buf = append(buf, subject...)
	if header != "" {
		buf = binary.LittleEndian.AppendUint32(buf, uint32(len(header)))
	}
	buf = append(buf, rest...)
	return append(buf, newHasher(testName).sum(buf[at+4:at+20], []byte(subject), []byte(rest))...)
}

// sampleBlock has one record of each kind, and where each begins.
func sampleBlock() (buf []byte, starts []int) {
	add := func(k kind, seq uint64, subject, header, data string) {
		starts = append(starts, len(buf))
		buf = appendRecord(buf, k, seq, subject, header, data)
	}
	add(message, 7, "brood.q.p.p0.a", "", "\n\x01adata of a")
	add(message, 8, "brood.q.p.p0.b", "NATS/1.0\r\nNats-TTL: 1\r\n\r\n", "\n\x01bdata of b")
	add(removal, 7, "", "", "")
	add(erased, 9, "", "", "noise")
	add(message, 12, "brood.p.paused.p", "", "paused")
	add(message, 13, "brood.p.paused.q", "", "")
	add(message, 14, "brood.q.p.n9.c", "", "\n\x01cdata of c")
	return buf, append(starts, len(buf))
}

func walked(buf []byte) (records []record, holes []hole) {
	holes = newHasher(testName).walk(buf, func(r record) {
		r.subject, r.data = bytes.Clone(r.subject), bytes.Clone(r.data)
		records = append(records, r)
	})
	return records, holes
}

// Whichever bit is flipped, all records but one are read, and none is read that was not written.
func TestEveryBit(t *testing.T) {
	buf, starts := sampleBlock()
	written, holes := walked(buf)
	if len(written) != len(starts)-1 || len(holes) != 0 {
		t.Fatalf("%d records, holes %+v", len(written), holes)
	}
	for bit := range len(buf) * 8 {
		damaged := slices.Clone(buf)
		damaged[bit/8] ^= 1 << (bit % 8)
		hit, _ := slices.BinarySearchFunc(starts, bit/8, func(start, at int) int {
			if start <= at {
				return -1
			}
			return 1
		})
		hit--
		records, holes := walked(damaged)
		if want := slices.Delete(slices.Clone(written), hit, hit+1); !reflect.DeepEqual(records, want) {
			t.Fatalf("bit %d of byte %d, of record %d: read %+v", bit%8, bit/8, hit, records)
		}
		if len(holes) != 1 || holes[0].from != starts[hit] || holes[0].to != starts[hit+1] {
			t.Fatalf("bit %d of byte %d: %+v", bit%8, bit/8, holes)
		}
	}
}

// A record that is damaged does not lead past those behind it, of its own size or not.
func TestLengthThatLeadsToAnotherRecord(t *testing.T) {
	var buf []byte
	for seq := range uint64(10) {
		buf = appendRecord(buf, message, seq+1, "brood.q.p.p0.a", "", "\n0123456789012345678") // 64 bytes with the head
	}
	size := len(buf) / 10
	binary.LittleEndian.PutUint32(buf[2*size:], uint32(5*size))
	records, holes := walked(buf)
	if len(records) != 9 || len(holes) != 1 || holes[0].to-holes[0].from != size {
		t.Errorf("%d records, %+v", len(records), holes)
	}
}

// Whatever is in a file, looking for records ends, within bounds, and what is kept is good.
func FuzzWalk(f *testing.F) {
	buf, _ := sampleBlock()
	f.Add(buf)
	f.Add(buf[5:])
	f.Add(append(make([]byte, 100), buf...))
	f.Add(slices.Concat(buf[:40], []byte("garbage"), buf[30:]))
	f.Add(bytes.Repeat([]byte{30, 0, 0, 0}, 300))
	f.Fuzz(func(t *testing.T, buf []byte) {
		records, holes := walked(buf)
		at := 0
		for _, o := range holes {
			if o.from < at || o.to <= o.from || o.to > len(buf) || len(o.records) > (o.to-o.from)/leastRecord {
				t.Fatalf("%+v of %d bytes", o, len(buf))
			}
			at = o.to
		}
		again, left := walked(without(buf, holes))
		if len(left) != 0 || !reflect.DeepEqual(records, again) {
			t.Fatalf("%d records, without the holes %d, and %+v", len(records), len(again), left)
		}
	})
}

// What looks like many long records costs no more than some time.
func TestForgedRecords(t *testing.T) {
	buf := make([]byte, 4<<20)
	for at := 0; at+64 < len(buf); at += 64 {
		head := appendRecord(nil, message, uint64(at+1), "brood.q.p.p0.a", "", "\n")
		binary.LittleEndian.PutUint32(head, uint32(len(buf)-at))
		copy(buf[at:], head)
	}
	if records, holes := walked(buf); len(records) != 0 || len(holes) != 1 {
		t.Errorf("%d records, %d holes", len(records), len(holes))
	}
}

func FuzzState(f *testing.F) {
	f.Add([]byte{22, 2, 5, 5, 7, 9, 1, 2, 3, 1, 4, 0})
	f.Add([]byte{22, 2, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 127, 255, 255, 255, 255, 255, 255, 255, 255, 127})
	f.Fuzz(func(t *testing.T, buf []byte) {
		var c consumer
		if c.decode(buf); len(c.pending) > len(buf) {
			t.Errorf("%d pending in %d bytes", len(c.pending), len(buf))
		}
	})
}

func BenchmarkWalk(b *testing.B) {
	for _, size := range []int{64, 1000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			var buf []byte
			for seq := uint64(1); len(buf) < 4<<20; seq++ {
				buf = appendRecord(buf, message, seq, "brood.q.p.p0.a-000001", "", "\n"+string(make([]byte, size)))
			}
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			h := newHasher(testName)
			for b.Loop() {
				h.walk(buf, func(record) {})
			}
		})
	}
}
