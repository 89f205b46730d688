package cli

import "testing"

func TestPrintable(t *testing.T) {
	for _, c := range [][2]string{
		{"plain, ü, 漢字\tand\n", "plain, ü, 漢字\tand\n"},
		{"\x1b[31mred\x07", `\x1b[31mred\x07`},
		{"c1 \u009b2J", `c1 \x9b2J`},
		{"\r\x00\x7f", `\x0d\x00\x7f`},
		{"broken \xff utf-8", "broken \xff utf-8"},
	} {
		if got := string(printable([]byte(c[0]))); got != c[1] {
			t.Errorf("%q becomes %q, want %q", c[0], got, c[1])
		}
	}
}
