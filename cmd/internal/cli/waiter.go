package cli

import (
	"context"
	"sync"
	"time"

	"github.com/brood-run/brood/cmd/internal/client"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/task"
)

const (
	// waitersAtOnce is how many calls wait at a time: one slow task keeps only its own call from the next ids.
	waitersAtOnce = 4
	// waitersAhead is how many tasks may be submitted and not yet waited for. Then submitting waits too,
	// so that memory stays bounded.
	waitersAhead = 10_000
)

// waiter waits for tasks as they are submitted and prints their results.
type waiter struct {
	remote   *remote
	client   *client.Client
	patience time.Duration
	ctx      context.Context
	cancel   context.CancelCauseFunc
	ids      chan string
	work     sync.WaitGroup

	mu         sync.Mutex // guards what follows, and standard output
	incomplete int
}

func newWaiter(ctx context.Context, r *remote, c *client.Client, patience time.Duration) *waiter {
	w := &waiter{remote: r, client: c, patience: patience, ids: make(chan string, waitersAhead)}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	for range waitersAtOnce {
		w.work.Go(w.wait)
	}
	return w
}

// add has the waiter wait for a task too.
func (w *waiter) add(ctx context.Context, id string) error {
	select {
	case w.ids <- id:
		return nil
	case <-w.ctx.Done():
		return context.Cause(w.ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *waiter) wait() {
	for id := range w.ids {
		ids := []string{id}
		for more := true; more && len(ids) < 1000; {
			select {
			case id, ok := <-w.ids:
				if ok {
					ids = append(ids, id)
				}
				more = ok
			default:
				more = false
			}
		}
		if err := w.client.Wait(w.ctx, ids, w.patience, w.done); err != nil {
			w.cancel(err)
			return
		}
	}
}

func (w *waiter) done(t *broodv1.Task) error {
	if client.Unknown(t) {
		t.State = broodv1.TaskState_TASK_STATE_CANCELLED // its result has been dropped: nobody can say more
	}
	r := client.Result(t)
	line := appendResult(nil, &r)
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.Status != task.Completed {
		w.incomplete++
	}
	return w.remote.write(line)
}

func (w *waiter) print(text []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.remote.write(text)
}

// finish waits for the results that are still out, unless abandon is set.
func (w *waiter) finish(abandon bool) (incomplete int, err error) {
	close(w.ids)
	if abandon {
		w.cancel(context.Canceled)
	}
	w.work.Wait()
	if w.ctx.Err() != nil {
		err = context.Cause(w.ctx)
	}
	w.cancel(nil)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.incomplete, err
}
