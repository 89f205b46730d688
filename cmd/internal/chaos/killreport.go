package chaos

import (
	"fmt"
	"io"
	"strings"
)

// KillReport is how the killing of supervisors went.
type KillReport struct {
	Plugin    string     `json:"plugin"`
	Isolation string     `json:"isolation"`
	Seed      uint64     `json:"seed"`
	Kills     int        `json:"kills"`
	Workers   int        `json:"workers"`   // that lived when their supervisor was killed
	Survivors int        `json:"survivors"` // processes of workers that did not die with it
	Gone      Spread     `json:"time_until_gone"`
	Remains   Remains    `json:"left_behind"`
	Cut       bool       `json:"interrupted"`
	Promises  []*Promise `json:"promises"`
}

// Text writes the report for people.
func (r *KillReport) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, isolation %s, seed %d\n\n", r.Plugin, r.Isolation, r.Seed)
	fmt.Fprintf(&b, "%d supervisors killed, with %d workers at work\n", r.Kills, r.Workers)
	fmt.Fprintf(&b, "until all had gone: p50 %v, p99 %v, max %v\n", span(r.Gone.P50), span(r.Gone.P99), span(r.Gone.Max))
	if r.Cut {
		fmt.Fprintln(&b, "interrupted: the rest was not done")
	}
	b.WriteByte('\n')
	promises(&b, r.Promises)
	_, err := io.WriteString(w, b.String())
	return err
}
