package dispatch

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// Copies share memory and must not share bytes: whatever their owners do to one, the others
// stay what they were.
func TestPayloadsAreTheirOwn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p payloads
		var copies, want [][]byte
		for range rapid.IntRange(1, 60).Draw(t, "results") {
			b := rapid.SliceOfN(rapid.Byte(), 0, 2*smallPayload).Draw(t, "payload")
			copies = append(copies, p.clone(b))
			want = append(want, bytes.Clone(b))
			clear(b) // the buffer it came from is used again
		}
		// Who appends to a result, or writes over it, changes no other one.
		victim := rapid.IntRange(0, len(copies)-1).Draw(t, "victim")
		_ = append(copies[victim], "more"...)
		for i := range copies[victim] {
			copies[victim][i]++
		}
		for i := range copies {
			if i != victim && !bytes.Equal(copies[i], want[i]) {
				t.Fatalf("payload %d is %x, want %x", i, copies[i], want[i])
			}
			if (copies[i] == nil) != (want[i] == nil) {
				t.Fatalf("payload %d: nil %v, want %v", i, copies[i] == nil, want[i] == nil)
			}
		}
	})
}
