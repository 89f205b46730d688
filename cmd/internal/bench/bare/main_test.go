package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"
)

func TestEchoSendsBackWholeFrames(t *testing.T) {
	in := "\x03\x00\x00\x00abc" + "\x00\x00\x00\x00" + "\x00\x00\x02\x00" + strings.Repeat("x", 2<<16)
	for name, r := range map[string]*strings.Reader{"at once": strings.NewReader(in), "in bytes": strings.NewReader(in)} {
		var out bytes.Buffer
		var err error
		if name == "at once" {
			err = echo(r, &out)
		} else {
			err = echo(iotest.OneByteReader(r), &out)
		}
		if err != nil || out.String() != in {
			t.Errorf("%s: %d bytes came back of %d, %v", name, out.Len(), len(in), err)
		}
	}
}

func TestEchoReportsACutFrame(t *testing.T) {
	if err := echo(strings.NewReader("\x03\x00\x00\x00ab"), &bytes.Buffer{}); err == nil {
		t.Error("half a frame was no error")
	}
}
