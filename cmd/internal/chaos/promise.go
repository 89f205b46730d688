package chaos

import (
	"fmt"
	"strings"
)

// mostEvidence is how many cases of a broken promise are told; the others are counted.
const mostEvidence = 5

// Promise is one thing that was checked.
type Promise struct {
	Name     string   `json:"promise"`
	Kept     bool     `json:"kept"`
	Found    string   `json:"found"` // in a few words, also if it was kept
	Evidence []string `json:"evidence,omitempty"`

	cases int
}

func newPromise(name string) *Promise { return &Promise{Name: name, Kept: true} }

// breaks notes a case, with lines that show it.
func (p *Promise) breaks(what string, lines ...string) {
	p.Kept = false
	if p.cases++; p.cases <= mostEvidence {
		p.Evidence = append(p.Evidence, what)
		for _, l := range lines {
			p.Evidence = append(p.Evidence, "  "+l)
		}
	}
}

// found says what there is to say of a promise that was kept; a broken one is counted.
func (p *Promise) found(format string, args ...any) {
	p.Found = fmt.Sprintf(format, args...)
	if !p.Kept {
		p.Found = fmt.Sprintf("%d cases; %s", p.cases, p.Found)
	}
}

// Broken lists the promises that were.
func Broken(all []*Promise) string {
	var names []string
	for _, p := range all {
		if !p.Kept {
			names = append(names, p.Name)
		}
	}
	return strings.Join(names, ", ")
}
