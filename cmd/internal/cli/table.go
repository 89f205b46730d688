package cli

import (
	"bytes"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
)

// table lines up columns for people.
type table struct {
	text bytes.Buffer
	w    *tabwriter.Writer
}

func newTable(columns ...string) *table {
	t := new(table)
	t.w = tabwriter.NewWriter(&t.text, 0, 8, 2, ' ', 0)
	t.row(columns...)
	return t
}

// row adds one. An empty cell is a dash, so that columns can be cut apart.
func (t *table) row(cells ...string) {
	for i, c := range cells {
		c = strings.NewReplacer("\n", " ", "\t", " ").Replace(c)
		if c == "" {
			c = "-"
		}
		if i > 0 {
			t.w.Write([]byte{'\t'})
		}
		t.w.Write(printable([]byte(c)))
	}
	t.w.Write([]byte{'\n'})
}

// bytes ends the table.
func (t *table) bytes() []byte {
	t.w.Flush() // into memory
	return t.text.Bytes()
}

// table writes one to standard output.
func (r *remote) table(t *table) error { return r.write(t.bytes()) }

func showSize(n uint64) string {
	if n == 0 {
		return ""
	}
	return humanize.IBytes(n)
}

// showDuration keeps about three digits and no zeros that say nothing.
func showDuration(d time.Duration) string {
	if d == 0 {
		return ""
	}
	if d >= time.Minute {
		d = d.Round(time.Second)
	}
	text := round(d).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

func showTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

func showCount[N ~int | ~int32 | ~int64 | ~uint64](n N) string { return fmt.Sprint(n) }
