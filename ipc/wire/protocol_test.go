package wire_test

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/brood-run/brood/ipc/wire"
)

// TestProtocolExamples finds each golden frame in the text that people write other
// workers from: the header in hexadecimal, the body so or, if it is JSON, as text.
func TestProtocolExamples(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "PROTOCOL.md"))
	if err != nil {
		t.Fatal(err)
	}
	leading := regexp.MustCompile(`^    ((?:[0-9a-f]{2} )*[0-9a-f]{2})(?:   |$)`)
	var bytesShown strings.Builder
	for _, line := range strings.Split(string(text), "\n") {
		if m := leading.FindStringSubmatch(line); m != nil {
			bytesShown.WriteString(strings.ReplaceAll(m[1], " ", ""))
		} else {
			bytesShown.WriteString("\n")
		}
	}
	for _, g := range golden {
		if g.file == "ready_error" || g.file == "result_retry" {
			continue // variants of what is shown
		}
		frame := encode(g.typ, g.id, g.body)
		head, body := frame[:wire.HeaderSize], frame[wire.HeaderSize:]
		if len(body) > 0 && body[0] == '{' {
			if !strings.Contains(string(text), "    "+string(body)+"\n") {
				t.Errorf("%s: PROTOCOL.md does not show the body %s", g.file, body)
			}
			body = nil
		}
		if want := hex.EncodeToString(append(head, body...)); !strings.Contains(bytesShown.String(), want) {
			t.Errorf("%s: PROTOCOL.md does not show %s", g.file, want)
		}
	}
}
