package worker

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"pgregory.net/rapid"
)

// However a stream is cut into reads, whole lines come out, each once and in order.
func TestLinesDoNotDependOnHowTheyAreRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.StringMatching(`[a-z]{0,20}`), 0, 30).Draw(t, "lines")
		text := ""
		for _, l := range lines {
			text += l + "\n"
		}
		w := &Worker{cfg: &Config{Slots: 2, Logger: hclog.NewNullLogger()}}
		c := &capture{w: w, out: transcript{w: w}}
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "read")
			c.add(stdout, []byte(rest[:n]), 0)
			rest = rest[n:]
		}
		c.finish()
		if got := string(c.out.tail); got != text {
			t.Fatalf("got %q, want %q", got, text)
		}
	})
}

func TestTailKeepsTheLastWholeLines(t *testing.T) {
	var long []byte
	for i := range 2000 {
		long = fmt.Appendf(long, "line %d\n", i)
	}
	got := string(cutTail(long))
	if len(got) > maxTail || !strings.HasPrefix(got, "line ") || !strings.HasSuffix(got, "line 1999\n") {
		t.Errorf("%d bytes: %.20q...", len(got), got)
	}
	if got := cutTail([]byte(strings.Repeat("x", 3*maxTail))); len(got) != maxTail {
		t.Errorf("%d bytes of one long line", len(got))
	}
	if got := cutTail([]byte("short")); string(got) != "short" {
		t.Errorf("got %q", got)
	}
}

// A line without an end is cut, not kept for ever.
func TestEndlessLineIsBounded(t *testing.T) {
	w := &Worker{cfg: &Config{Slots: 2, Logger: hclog.NewNullLogger()}}
	c := &capture{w: w, out: transcript{w: w}}
	for range 100 {
		c.add(stdout, make([]byte, 32<<10), 0)
	}
	if n := len(c.streams[stdout].line) + len(c.streams[stdout].buf) + len(c.out.tail); n > 2*maxTail+2*maxLine {
		t.Errorf("%d bytes are kept", n)
	}
}
