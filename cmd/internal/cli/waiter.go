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
	// waitersAtOnce is how many calls wait at a time, waitTogether for how many tasks one does.
	waitersAtOnce = 4
	waitTogether  = 1000
	// waitersAhead is how many tasks may be waited for. Then submitting waits too, so that memory stays bounded.
	waitersAhead = 10_000
	// quietTime is for how long a call without results keeps its place while other tasks are in line: what takes
	// long must not hide what is done.
	quietTime = 250 * time.Millisecond
)

// waiter waits for tasks while more are added and prints their results as they come.
type waiter struct {
	remote   *remote
	client   *client.Client
	patience time.Duration
	unknown  func(*broodv1.Task) bool // what to do about a task that nobody knows; false if its result is printed nevertheless
	ctx      context.Context
	cancel   context.CancelCauseFunc
	ids      *awaited
	work     sync.WaitGroup

	mu         sync.Mutex // guards what follows, and standard output
	incomplete int
}

// newWaiter waits until finish, or until ctx ends.
func newWaiter(ctx context.Context, r *remote, c *client.Client, patience time.Duration, unknown func(*broodv1.Task) bool) *waiter {
	w := &waiter{remote: r, client: c, patience: patience, unknown: unknown}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.ids = newAwaited(w.ctx, waitersAhead)
	for range waitersAtOnce {
		w.work.Go(w.wait)
	}
	return w
}

// add has the waiter wait for a task too.
func (w *waiter) add(id string) error {
	if !w.ids.add(id) {
		return context.Cause(w.ctx)
	}
	return nil
}

// addAll adds ids until nobody waits any more, of which finish says why.
func (w *waiter) addAll(ids []string) {
	for _, id := range ids {
		if w.add(id) != nil {
			return
		}
	}
}

func (w *waiter) wait() {
	for {
		ids := w.ids.take(waitTogether)
		if len(ids) == 0 {
			return
		}
		if err := w.call(ids); err != nil {
			w.cancel(err)
			return
		}
		w.ids.putBack(ids)
	}
}

// call waits for some tasks until all have their results, or until others had better be waited for.
func (w *waiter) call(ids []string) error {
	ctx, cancel := context.WithCancel(w.ctx)
	quiet := time.NewTimer(quietTime)
	defer quiet.Stop()
	var watch sync.WaitGroup
	defer watch.Wait()
	defer cancel()
	watch.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-quiet.C:
			}
			if w.ids.waiting() {
				cancel()
			}
			quiet.Reset(quietTime)
		}
	})
	err := w.client.Wait(ctx, ids, w.patience, func(t *broodv1.Task) error {
		quiet.Reset(quietTime)
		w.ids.done(t.GetId())
		return w.done(t)
	})
	if ctx.Err() != nil && w.ctx.Err() == nil {
		return nil
	}
	return err
}

func (w *waiter) done(t *broodv1.Task) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if client.Unknown(t) && w.unknown(t) {
		w.incomplete++
		return nil
	}
	r := client.Result(t)
	if r.Status != task.Completed {
		w.incomplete++
	}
	return w.remote.write(appendResult(nil, &r))
}

func (w *waiter) print(text []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.remote.write(text)
}

// finish waits for the results that are still out, unless abandon is set.
func (w *waiter) finish(abandon bool) (incomplete int, err error) {
	w.ids.end()
	if abandon {
		w.cancel(context.Canceled)
	}
	w.work.Wait()
	if w.ctx.Err() != nil {
		err = context.Cause(w.ctx)
	}
	w.cancel(nil)
	w.ids.release()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.incomplete, err
}
