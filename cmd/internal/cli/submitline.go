package cli

import (
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/task"
)

// submitted is an answer in JSON.
type submitted struct {
	ID        string     `json:"id,omitempty"`
	Duplicate bool       `json:"duplicate,omitempty"`
	Place     string     `json:"place,omitempty"`
	Error     *errorLine `json:"error,omitempty"`
}

// errorLine is an error in a line of JSON.
type errorLine struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

func (s *submission) accept(out []byte, a *broodv1.SubmitResponse) []byte {
	s.accepted++
	if a.GetDuplicate() {
		s.duplicates++
	}
	switch {
	case s.wait:
		return out // its result is its line
	case s.json:
		return append(appendJSON(out, submitted{ID: a.GetId(), Duplicate: a.GetDuplicate()}), '\n')
	}
	return append(append(out, printable([]byte(a.GetId()))...), '\n')
}

// refuse reports a task that was not stored where its id or its result would have been.
func (s *submission) refuse(out []byte, e entry, why *task.Error) []byte {
	s.refused++
	located := why.Message
	if e.place != "" {
		located = e.place + ": " + located
	}
	switch {
	case s.wait:
		r := task.Result{Task: task.Task{ID: e.id, Name: e.task}, Status: task.Rejected, Err: &task.Error{Kind: why.Kind, Message: located}}
		return appendResult(out, &r)
	case s.json:
		return append(appendJSON(out, submitted{ID: e.id, Place: e.place, Error: &errorLine{why.Kind, why.Message}}), '\n')
	}
	s.tell("%s", located)
	return out
}
