package cli

import (
	"errors"
	"strings"

	"github.com/brood-run/brood/cmd/internal/client"
)

// outcome is what became of one thing, in JSON.
type outcome struct {
	ID      string `json:"id"`
	Outcome string `json:"outcome,omitempty"`
	Error   string `json:"error,omitempty"`
}

// each does something to each id, says what became of it, and goes on with the others if the server
// refuses one.
func (r *remote) each(ids []string, did string, do func(id string) error) error {
	refused := 0
	for _, id := range ids {
		err := do(id)
		var f *client.Failure
		switch {
		case err == nil:
			err = r.outcome(outcome{ID: id, Outcome: did})
		case errors.As(err, &f) && (f.Reason == client.NotFound || f.Reason == client.Failed):
			refused++
			err = r.outcome(outcome{ID: id, Error: strings.TrimPrefix(f.Text, id+": ")})
		}
		if err != nil {
			return err
		}
	}
	if refused > 0 {
		return exitCode(exitIncomplete)
	}
	return nil
}

func (r *remote) outcome(o outcome) error {
	switch {
	case r.json:
		return r.object(o)
	case o.Error != "":
		r.tell("%s: %s", o.ID, o.Error)
		return nil
	}
	return r.line("%s %s", o.ID, o.Outcome)
}
