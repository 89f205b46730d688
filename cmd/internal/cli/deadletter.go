package cli

import (
	"bytes"

	"github.com/brood-run/brood/supervisor/task"
)

// isDead says whether a result belongs into the dead-letter file.
func isDead(s task.Status) bool {
	return s == task.Dead || s == task.Expired || s == task.Rejected
}

// appendDeadLetter appends a task as the input line it came from, with the id and
// the name it had. A line that was never an object is repeated as it was; one
// that was too long to keep is left out.
func appendDeadLetter(dst []byte, r *task.Result) []byte {
	o := r.Task.Tag.(*origin)
	if o.text == nil && !o.plain {
		return dst
	}
	if o.plain {
		return appendPlain(dst, o, r)
	}
	open := bytes.IndexByte(o.text, '{')
	if open < 0 || (r.Status == task.Rejected && r.Err != nil && r.Err.Kind == task.KindInvalid) {
		return append(append(dst, o.text...), '\n')
	}
	dst = append(dst, '{')
	if !o.ownID {
		dst = append(dst, `"id":`...)
		dst = append(appendString(dst, r.Task.ID), ',')
	}
	if !o.named && r.Task.Name != "" {
		dst = append(dst, `"task":`...)
		dst = append(appendString(dst, r.Task.Name), ',')
	}
	return append(append(dst, o.text[open+1:]...), '\n')
}

func appendPlain(dst []byte, o *origin, r *task.Result) []byte {
	payload, err := plainPayload(o.text)
	if err != nil {
		return append(append(dst, o.text...), '\n')
	}
	dst = append(dst, `{"id":`...)
	dst = appendString(dst, r.Task.ID)
	if r.Task.Name != "" {
		dst = append(dst, `,"task":`...)
		dst = appendString(dst, r.Task.Name)
	}
	dst = append(dst, `,"payload":`...)
	dst = append(dst, payload...)
	return append(dst, '}', '\n')
}
