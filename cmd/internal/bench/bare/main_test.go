package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestEchoSendsBackWholeFrames(t *testing.T) {
	const id = "\x01\x02\x03\x04\x05\x06\x07\x08"
	in := "\x03\x00\x00\x00" + id + "abc" + "\x00\x00\x00\x00" + id + "\x00\x00\x02\x00" + id + strings.Repeat("x", 2<<16)
	for name, r := range map[string]io.Reader{
		"at once": strings.NewReader(in), "in bytes": iotest.OneByteReader(strings.NewReader(in)),
	} {
		var out bytes.Buffer
		if err := echo(r, &out); err != nil || out.String() != in {
			t.Errorf("%s: %d bytes came back of %d, %v", name, out.Len(), len(in), err)
		}
	}
}

func TestEchoReportsACutFrame(t *testing.T) {
	whole := "\x03\x00\x00\x00" + "--id----" + "abc"
	for n := 1; n < len(whole); n++ {
		if err := echo(strings.NewReader(whole[:n]), &bytes.Buffer{}); err == nil {
			t.Errorf("%d bytes of a frame were no error", n)
		}
	}
}
