package httpapi

import (
	"context"
	"errors"
	"sync"
	"time"

	"connectrpc.com/connect"
	"golang.org/x/sync/errgroup"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/broker"
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
	for _, id := range ids {
		if err := given("ids", id); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	there := make(chan int, 2*len(ids)) // each id is told of twice at most
	stops, err := t.listen(ctx, ids, there)
	defer func() {
		cancel()
		for _, stop := range stops {
			stop()
		}
	}()
	if err != nil {
		return err
	}
	var probes sync.WaitGroup
	probes.Go(func() { t.probe(ctx, ids, there) })
	defer probes.Wait()
	defer cancel()
	return t.stream(ctx, ids, there, time.NewTimer(limit), stream)
}

// lookups is how many tasks of one request are looked up at the same time.
const lookups = 16

// listen has each id told when its result is there. The stops are to be called also after an error.
func (t tasks) listen(ctx context.Context, ids []string, there chan<- int) ([]func(), error) {
	stops := make([]func(), len(ids))
	var all errgroup.Group
	all.SetLimit(lookups)
	for i, id := range ids {
		stops[i] = func() {}
		all.Go(func() error {
			stop, err := t.cfg.Broker.OnResult(ctx, id, func(task.Result) { there <- i })
			if err != nil {
				return about(id, err)
			}
			stops[i] = stop
			return nil
		})
	}
	return stops, all.Wait()
}

// probe tells of the ids that nobody knows: they have no result to wait for.
func (t tasks) probe(ctx context.Context, ids []string, there chan<- int) {
	var all errgroup.Group
	all.SetLimit(lookups)
	for i, id := range ids {
		all.Go(func() error {
			if _, err := t.cfg.Broker.Get(ctx, id); errors.Is(err, broker.ErrNotFound) {
				there <- i
			}
			return nil
		})
	}
	_ = all.Wait()
}

// stream sends what is known of tasks that are over or unknown, as it is told of them.
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
		defer outletOf(ctx).release()
		return stream.Send(&broodv1.WaitManyResponse{Task: found})
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
			return answer(context.Cause(ctx))
		case <-t.stopping:
			return stopped()
		}
	}
	return nil
}
