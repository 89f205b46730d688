package cli

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// printable writes control characters out as \x1b and the like. Task ids, error texts and
// captured lines come from strangers, and a terminal obeys what it is shown.
func printable(text []byte) []byte {
	if !bytes.ContainsFunc(text, obeyed) {
		return text
	}
	var out []byte
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case obeyed(r):
			out = fmt.Appendf(out, `\x%02x`, r)
		default:
			out = append(out, text[:n]...)
		}
		text = text[n:]
	}
	return out
}

func obeyed(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
