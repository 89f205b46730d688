package jetstream

import (
	"context"

	"github.com/brood-run/brood/supervisor/broker"
)

// ended refuses tasks that have their results: what came due may have been queued before, by a try of which the
// end was lost.
func (e *enqueuing) ended(ctx context.Context) {
	var results []string
	for i, m := range e.messages {
		if e.errs[i] == nil {
			results = append(results, e.b.names.result(m.Task.ID))
		}
	}
	there := map[string]bool{}
	err := e.b.lasts(ctx, e.b.names.stream("r"), results, func(s stored) { there[lastToken(s.subject)] = true })
	for i, m := range e.messages {
		switch {
		case e.errs[i] != nil:
		case err != nil:
			e.errs[i] = err
		case there[token(m.Task.ID)]:
			e.errs[i] = broker.ErrDuplicate
		}
	}
}

// known refuses tasks whose ids are taken: by a result, or by a task of another pool or priority or one that
// waits for its time, which has another subject. The queue itself refuses the rest. Of two tasks with one id and
// different subjects that are submitted at the same moment both may be taken; only one gets its result stored. In a
// cluster a moment is as long as the server that is near is behind the others; results are asked of the leader.
func (e *enqueuing) known(ctx context.Context) {
	seen := map[string]bool{}
	var results, queued, delayed []string
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
		queued = append(queued, e.b.names.subject("q", "*", "*", id))
		delayed = append(delayed, e.b.names.subject("t", "*", delays, "*", id))
	}
	if len(results) == 0 {
		return
	}
	taken := map[string]bool{}
	note := func(s stored) { taken[lastToken(s.subject)] = true }
	err := e.b.lasts(ctx, e.b.names.stream("r"), results, note)
	if err == nil {
		err = e.b.lastsNearby(ctx, e.b.names.stream("t"), delayed, note)
	}
	for _, p := range e.b.everyPool() {
		if err == nil {
			err = p.prepare(ctx)
		}
		if err == nil {
			if err = e.b.lastsNearby(ctx, p.stream, queued, note); err != nil {
				p.stale() // its stream may be gone
			}
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
