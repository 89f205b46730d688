package cli

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// blocksOf returns a next function that hands text out in blocks of the given sizes.
func blocksOf(text string, sizes []int) func() ([]byte, error) {
	return func() ([]byte, error) {
		if text == "" {
			return nil, io.EOF
		}
		n := len(text)
		if len(sizes) > 0 {
			n, sizes = min(n, sizes[0]), sizes[1:]
		}
		block := []byte(text[:n])
		text = text[n:]
		return block, nil
	}
}

func TestLineReader(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string
	}{
		{"empty", "", nil},
		{"one", "a\n", []string{"a"}},
		{"no newline at the end", "a\nb", []string{"a", "b"}},
		{"blank lines count", "\n\na\n", []string{"", "", "a"}},
		{"carriage returns", "a\r\nb\r\n", []string{"a", "b"}},
		{"byte order mark", "\xef\xbb\xbfa\n\xef\xbb\xbfb\n", []string{"a", "\xef\xbb\xbfb"}},
		{"too long", "0123456789abcdef\nb\n", []string{"!16", "b"}},
		{"too long at the end", "b\n0123456789abcdef", []string{"b", "!16"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for size := 1; size < 20; size++ {
				sizes := make([]int, 40)
				for i := range sizes {
					sizes[i] = size
				}
				got := readLines(t, &lineReader{max: 10, next: blocksOf(tt.in, sizes)})
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Fatalf("blocks of %d: %s", size, diff)
				}
			}
		})
	}
}

// readLines returns the lines, "!size" for one that was too long.
func readLines(t interface{ Fatalf(string, ...any) }, r *lineReader) []string {
	var got []string
	for {
		l, err := r.read()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		if l.number != len(got)+1 {
			t.Fatalf("line %d has number %d", len(got)+1, l.number)
		}
		if l.tooLong() {
			got = append(got, "!"+lineID(l.size)[len(numberPrefix):])
			continue
		}
		got = append(got, string(l.text))
	}
}

func TestLineReaderIsIndependentOfBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOf(rapid.StringMatching(`[a-z]{0,40}`)).Draw(t, "lines")
		sizes := rapid.SliceOf(rapid.IntRange(1, 50)).Draw(t, "sizes")
		text := strings.Join(lines, "\n")
		if len(lines) > 0 {
			text += "\n"
		}
		var want []string
		for _, l := range lines {
			if len(l) > 20 {
				l = "!" + lineID(len(l))[len(numberPrefix):]
			}
			want = append(want, l)
		}
		got := readLines(t, &lineReader{max: 20, next: blocksOf(text, sizes)})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestLineReaderDropsHalfALine(t *testing.T) {
	blocks := []string{"whole\nha", "lf"}
	r := &lineReader{max: 10, next: func() ([]byte, error) {
		if len(blocks) == 0 {
			return nil, errHalted
		}
		b := blocks[0]
		blocks = blocks[1:]
		return []byte(b), nil
	}}
	if l, err := r.read(); string(l.text) != "whole" || err != nil {
		t.Errorf("line %q, %v", l.text, err)
	}
	if l, err := r.read(); err != errHalted {
		t.Errorf("line %q, %v", l.text, err)
	}
}

func TestLineReaderDoesNotHoldWhatItSkips(t *testing.T) {
	const blocks = 1000
	n := 0
	block := []byte(strings.Repeat("x", blockSize))
	r := &lineReader{max: 10, next: func() ([]byte, error) {
		if n++; n > blocks {
			return nil, io.EOF
		}
		return block, nil
	}}
	l, err := r.read()
	if err != nil || l.size != blocks*blockSize {
		t.Fatalf("read: size %d, %v", l.size, err)
	}
	if cap(r.start) > 2*keepHead {
		t.Errorf("%d bytes are held of a line that was skipped", cap(r.start))
	}
}
