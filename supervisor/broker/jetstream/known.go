package jetstream

import (
	"context"

	"github.com/brood-run/brood/supervisor/broker"
)

// known refuses tasks whose ids are taken: by a result, or by a task of another priority, which has
// another subject. The stream itself refuses the rest. Of two tasks with one id and different priorities that
// are submitted at the same moment both may be taken; only one of them gets its result stored.
func (e *enqueuing) known(ctx context.Context) {
	seen := map[string]bool{}
	byPool := map[string][]string{}
	var results []string
	for i, m := range e.messages {
		if e.errs[i] != nil || m.Fresh {
			continue
		}
		id := token(m.Task.ID)
		if seen[id] {
			e.errs[i] = broker.ErrDuplicate
			continue
		}
		seen[id] = true
		results = append(results, e.b.names.result(m.Task.ID))
		byPool[m.Pool] = append(byPool[m.Pool], e.b.names.subject("q", token(m.Pool), "*", id))
	}
	if len(results) == 0 {
		return
	}
	taken := map[string]bool{}
	note := func(s stored) { taken[lastToken(s.subject)] = true }
	err := e.b.lasts(ctx, e.b.names.stream("r"), results, note)
	for pool, subjects := range byPool {
		if err == nil {
			err = e.b.lasts(ctx, e.b.names.queueStream(pool), subjects, note)
		}
	}
	for i, m := range e.messages {
		switch {
		case e.errs[i] != nil || m.Fresh:
		case err != nil:
			e.errs[i] = err
		case taken[token(m.Task.ID)]:
			e.errs[i] = broker.ErrDuplicate
		}
	}
}
