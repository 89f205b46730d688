package jetstream

import (
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/brood-run/brood/supervisor/task"
)

// waiters are those who want to know a result when it is there.
type waiters struct {
	mu sync.Mutex
	by map[string]*waited
}

// waited is a task that somebody waits for.
type waited struct {
	by  map[*waiter]struct{}
	sub *nats.Subscription // nil with an embedded server
}

type waiter struct {
	once sync.Once
	f    func(task.Result)
}

func newWaiters() *waiters { return &waiters{by: map[string]*waited{}} }

// add notes a waiter. The first one of a task subscribes, if subscribe is not nil.
func (w *waiters) add(id string, x *waiter, subscribe func() (*nats.Subscription, error)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.by[id]
	if t == nil {
		t = &waited{by: map[*waiter]struct{}{}}
		if subscribe != nil {
			var err error
			if t.sub, err = subscribe(); err != nil {
				return unavailable(err)
			}
		}
		w.by[id] = t
	}
	t.by[x] = struct{}{}
	return nil
}

// remove forgets a waiter.
func (w *waiters) remove(id string, x *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.by[id]
	if t == nil {
		return
	}
	delete(t.by, x)
	if len(t.by) == 0 {
		w.drop(id, t)
	}
}

// drop forgets a task. Requires mu.
func (w *waiters) drop(id string, t *waited) {
	delete(w.by, id)
	if t.sub != nil {
		_ = t.sub.Unsubscribe() // fails only if the connection is closed
	}
}

// tell gives the result of a task to all who wait for it.
func (w *waiters) tell(id string, r *task.Result) {
	w.mu.Lock()
	t := w.by[id]
	if t != nil {
		w.drop(id, t)
	}
	w.mu.Unlock()
	if t == nil {
		return
	}
	for x := range t.by {
		x.tell(*r)
	}
}

// any says whether somebody waits for the task.
func (w *waiters) any(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.by[id] != nil
}

// ids are the tasks that are waited for.
func (w *waiters) ids() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := make([]string, 0, len(w.by))
	for id := range w.by {
		ids = append(ids, id)
	}
	return ids
}

func (x *waiter) tell(r task.Result) { x.once.Do(func() { x.f(r) }) }
