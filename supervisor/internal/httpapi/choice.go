package httpapi

import (
	"context"

	"connectrpc.com/connect"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

// choice says which dead letters are meant: some, all of a pool, or all.
type choice interface {
	GetIds() []string
	GetPool() string
	GetAll() bool
}

// maxRefused is how many letters that cannot be dealt with one answer names.
const maxRefused = 1000

// each does something with the letters that are meant; those that refuse are answered by id. It
// gives up when the broker cannot be reached.
func (d deadLetters) each(ctx context.Context, c choice, do func(context.Context, string) error) (int32, map[string]*broodv1.Error, error) {
	if err := d.check(c); err != nil {
		return 0, nil, err
	}
	w := work{ctx: ctx, do: do, seen: map[string]bool{}, refused: map[string]*broodv1.Error{}}
	if len(c.GetIds()) > 0 {
		return w.result(w.all(c.GetIds()))
	}
	list := d.list(c.GetPool(), "")
	for {
		letters, err := list.more(ctx, maxPage)
		if err != nil {
			return w.result(err)
		}
		ids := make([]string, len(letters))
		for i := range letters {
			ids[i] = letters[i].Message.Task.ID
		}
		known := len(w.seen)
		if err := w.all(ids); err != nil || list.ended || len(w.seen) == known || len(w.refused) >= maxRefused {
			return w.result(err)
		}
	}
}

func (d deadLetters) check(c choice) error {
	chosen := 0
	for _, is := range []bool{len(c.GetIds()) > 0, c.GetPool() != "", c.GetAll()} {
		if is {
			chosen++
		}
	}
	if chosen != 1 {
		return invalid("ids", "say which letters are meant: ids, or pool, or all")
	}
	if n := len(c.GetIds()); n > d.cfg.Limits.MaxBatch {
		return invalid("ids", "%d are more than %d", n, d.cfg.Limits.MaxBatch)
	}
	return nil
}

// work is what each has done so far.
type work struct {
	ctx     context.Context
	do      func(context.Context, string) error
	seen    map[string]bool // a task that was revived may have died again: once is enough
	done    int32
	refused map[string]*broodv1.Error
}

func (w *work) all(ids []string) error {
	for _, id := range ids {
		if w.seen[id] {
			continue
		}
		w.seen[id] = true
		err := w.do(w.ctx, id)
		switch {
		case err == nil:
			w.done++
		case w.ctx.Err() != nil || explain(err).code == connect.CodeUnavailable:
			return err
		default:
			w.refused[text(id)] = asPart(err)
		}
	}
	return nil
}

// result is what was done, even if not all could be, unless nothing was.
func (w *work) result(err error) (int32, map[string]*broodv1.Error, error) {
	return w.done, w.refused, answer(err)
}
