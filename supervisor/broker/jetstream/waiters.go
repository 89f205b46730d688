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

	doubtful map[string]struct{} // tasks of by whose results may be there, and have to be looked for
	doubted  chan struct{}       // gets a value, if it has room, when there are some
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

func newWaiters() *waiters {
	return &waiters{by: map[string]*waited{}, doubtful: map[string]struct{}{}, doubted: make(chan struct{}, 1)}
}

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
	delete(w.doubtful, id)
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

// doubt has the result of a task looked for, if somebody waits for it.
func (w *waiters) doubt(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by[id] != nil {
		w.doubtful[id] = struct{}{}
		w.signal()
	}
}

// doubtAll has all results looked for.
func (w *waiters) doubtAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.by {
		w.doubtful[id] = struct{}{}
	}
	w.signal()
}

// signal requires mu.
func (w *waiters) signal() {
	select {
	case w.doubted <- struct{}{}:
	default:
	}
}

// nextDoubt takes a task whose result has to be looked for.
func (w *waiters) nextDoubt() (id string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id = range w.doubtful {
		delete(w.doubtful, id)
		return id, true
	}
	return "", false
}

func (x *waiter) tell(r task.Result) { x.once.Do(func() { x.f(r) }) }
