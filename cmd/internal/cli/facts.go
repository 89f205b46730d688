package cli

import (
	"bytes"
	"fmt"
	"strings"
	"text/tabwriter"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// facts are lines of a name and a value, for people. What is empty is left out.
type facts struct {
	text bytes.Buffer
	w    *tabwriter.Writer
}

func newFacts() *facts {
	f := new(facts)
	f.w = tabwriter.NewWriter(&f.text, 0, 8, 2, ' ', 0)
	return f
}

func (f *facts) add(name, value string) {
	if value == "" {
		return
	}
	safe := printable([]byte(strings.ReplaceAll(value, "\t", " ")))
	for i, line := range strings.Split(strings.TrimRight(string(safe), "\n"), "\n") {
		if i > 0 {
			name = ""
		}
		fmt.Fprintf(f.w, "%s\t%s\n", name, line)
	}
}

func (f *facts) time(name string, at *timestamppb.Timestamp) {
	if at != nil {
		f.add(name, showTime(at.AsTime()))
	}
}

func (f *facts) bytes() []byte {
	f.w.Flush() // into memory
	return f.text.Bytes()
}
