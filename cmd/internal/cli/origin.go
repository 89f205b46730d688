package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/brood-run/brood/supervisor/task"
)

// origin is where a task came from. It travels in the task's Tag, so that the
// result can name the line and the dead-letter file can repeat it.
type origin struct {
	place string // "line" or "argument"
	n     int
	text  []byte // the line as it was; nil if it was too long to keep
	plain bool   // text is the payload itself, not a JSON object
	ownID bool   // the line spells its id out
	named bool   // the line names its task
}

// reject words an error as the result of the line or argument it is about.
func (o *origin) reject(err error) *task.Error {
	known := &task.Error{Kind: task.KindInvalid, Message: err.Error()}
	errors.As(err, &known)
	return o.locate(known)
}

// locate puts the place before an error's message, unless it is there.
func (o *origin) locate(e *task.Error) *task.Error {
	place := fmt.Sprintf("%s %d: ", o.place, o.n)
	if strings.HasPrefix(e.Message, place) {
		return e
	}
	return &task.Error{Kind: e.Kind, Message: place + e.Message}
}
