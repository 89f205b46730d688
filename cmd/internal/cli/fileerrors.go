package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/token"
)

// fileErrors is all that is wrong with a config file.
type fileErrors struct {
	path   string
	places map[string]*token.Token // of the keys that are set
	all    []fileError
}

// fileError is one thing that is wrong, and where.
type fileError struct {
	line, column int
	text         string
	world        bool // the file may be right: what it names cannot be used here and now
}

func (e *fileErrors) add(at *token.Token, format string, args ...any) {
	one := fileError{line: 1, column: 1, text: fmt.Sprintf(format, args...)}
	if at != nil && at.Position != nil {
		one.line, one.column = at.Position.Line, at.Position.Column
	}
	e.all = append(e.all, one)
}

// cannot adds what is wrong with the world, not with the file.
func (e *fileErrors) cannot(at *token.Token, format string, args ...any) {
	e.add(at, format, args...)
	e.all[len(e.all)-1].world = true
}

// err is nil if nothing is wrong, else an error with the exit code that suits it.
func (e *fileErrors) err() error {
	if len(e.all) == 0 {
		return nil
	}
	slices.SortStableFunc(e.all, func(a, b fileError) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	lines := make([]string, 0, len(e.all)+1)
	if len(e.all) > 1 {
		lines = append(lines, fmt.Sprintf("%d errors in the configuration", len(e.all)))
	}
	code := exitCannotRun
	for _, one := range e.all {
		place := ""
		if e.path != "" { // else they are of flags, which their texts name
			place = fmt.Sprintf("%s:%d:%d: ", e.path, one.line, one.column)
		}
		lines = append(lines, place+one.text)
		if !one.world {
			code = exitUsage
		}
	}
	return &exitError{code, strings.Join(lines, "\n")}
}
