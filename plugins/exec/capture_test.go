package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestCaptureKeepsOneEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := capture{limit: rapid.IntRange(0, 40).Draw(t, "limit"), tail: rapid.Bool().Draw(t, "tail")}
		var all []byte
		for _, chunk := range rapid.SliceOf(rapid.SliceOfN(rapid.ByteRange(0, 127), 0, 30)).Draw(t, "chunks") {
			all = append(all, chunk...)
			if n, err := c.Write(chunk); n != len(chunk) || err != nil {
				t.Fatalf("Write: %d, %v", n, err)
			}
			if len(c.buf) > 2*c.limit {
				t.Fatalf("%d bytes are held, the limit is %d", len(c.buf), c.limit)
			}
		}
		want := all[:min(len(all), c.limit)]
		if c.tail {
			want = all[len(all)-len(want):]
		}
		got, cut := c.bytes()
		if !bytes.Equal(got, want) || cut != (len(all) > c.limit) {
			t.Fatalf("kept %q, cut %v, of %q", got, cut, all)
		}
	})
}

func TestCaptureDoesNotCutACharacterInTwo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := capture{limit: rapid.IntRange(4, 40).Draw(t, "limit"), tail: rapid.Bool().Draw(t, "tail")}
		text := strings.ToValidUTF8(rapid.String().Draw(t, "text"), "?")
		c.Write([]byte(text))
		got, _ := c.bytes()
		if !utf8.Valid(got) || len(got) < min(len(text), c.limit)-utf8.UTFMax+1 {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func TestCaptureLeavesBytesThatAreNotTextAlone(t *testing.T) {
	for _, tail := range []bool{false, true} {
		c := capture{limit: 8, tail: tail}
		c.Write(bytes.Repeat([]byte{0x80}, 20))
		if got, cut := c.bytes(); len(got) != 8 || !cut {
			t.Errorf("tail %v: %x, %v", tail, got, cut)
		}
	}
}

func TestLastLines(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "",
		"\n \n":                             "",
		"one":                               "one",
		"1\n2\n\n3\r\n 4 \n\n":              "2\n3\n4",
		"bad \xff byte\n":                   "bad ? byte",
		strings.Repeat("x", 2000) + "\nend": strings.Repeat("x", 496) + "\nend",
	} {
		if got := lastLines([]byte(in)); got != want {
			t.Errorf("lastLines(%q) = %q, want %q", in, got, want)
		}
	}
}
