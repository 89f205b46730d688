package httpapi

import (
	"context"
	"time"

	"connectrpc.com/connect"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/task"
)

// WaitMany implements broodv1.TaskServiceHandler. One result is in memory at a time: it is read when
// the caller has taken the one before.
func (t tasks) WaitMany(ctx context.Context, r *broodv1.WaitManyRequest, stream *connect.ServerStream[broodv1.WaitManyResponse]) error {
	ids := r.GetIds()
	limit, err := t.patience(r.GetTimeout())
	switch {
	case err != nil:
		return err
	case len(ids) > t.cfg.Limits.MaxBatch:
		return invalid("ids", "%d are more than %d", len(ids), t.cfg.Limits.MaxBatch)
	}
	leave, err := t.waits.enter(len(ids))
	if err != nil {
		return err
	}
	defer leave()
	there := make(chan int, len(ids)) // each id is there once
	for i, id := range ids {
		if err := given("ids", id); err != nil {
			return err
		}
		stop, err := t.cfg.Broker.OnResult(ctx, id, func(task.Result) { there <- i })
		if err != nil {
			return about(id, err)
		}
		defer stop()
	}
	return t.stream(ctx, ids, there, time.NewTimer(limit), stream)
}

// stream sends what is known to be over or unknown, and then the others as they come.
func (t tasks) stream(ctx context.Context, ids []string, there <-chan int, late *time.Timer, stream *connect.ServerStream[broodv1.WaitManyResponse]) error {
	defer late.Stop()
	sent, left := make([]bool, len(ids)), len(ids)
	send := func(i int) error {
		if sent[i] {
			return nil
		}
		found, err := t.find(ctx, ids[i])
		switch {
		case connect.CodeOf(err) == connect.CodeNotFound:
			found = &broodv1.Task{Id: ids[i], Error: &broodv1.Error{Kind: connect.CodeNotFound.String(), Message: "no task has this id"}}
		case err != nil:
			return err
		case !over(found):
			return nil
		}
		sent[i] = true
		left--
		return stream.Send(&broodv1.WaitManyResponse{Task: found})
	}
	for i := range ids {
		if err := send(i); err != nil {
			return err
		}
	}
	for left > 0 {
		select {
		case i := <-there:
			if err := send(i); err != nil {
				return err
			}
		case <-late.C:
			return nil
		case <-ctx.Done():
			return answer(ctx.Err())
		case <-t.stopping:
			return stopped()
		}
	}
	return nil
}
