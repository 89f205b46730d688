package supervisor

import (
	"context"
	"sync"

	"github.com/brood-run/brood/supervisor/internal/dispatch"
	"github.com/brood-run/brood/supervisor/task"
)

// Handle is a submitted task. Its result waits until it is read with Wait or Collect, or
// discarded; results that wait count against Config.ResultLimit.
type Handle struct {
	job  dispatch.Job
	s    *Supervisor
	pool *plugin

	end  sync.WaitGroup // done when the result is there
	mu   sync.Mutex
	over bool
	done chan struct{} // made when somebody asks for it

	prev, next *Handle // in Supervisor.unread, guarded by Supervisor.mu
	listed     bool
}

// Submit queues a task and returns without waiting for a worker. While the queue is full
// or too many results are unread it waits for room, or for ctx. An error that wraps
// task.ErrInvalid says what is wrong with the task.
func (s *Supervisor) Submit(ctx context.Context, t task.Task) (*Handle, error) {
	return s.submit(t, func(d *dispatch.Dispatcher, j *dispatch.Job) error { return d.Submit(ctx, j) })
}

// TrySubmit is Submit that returns ErrQueueFull instead of waiting.
func (s *Supervisor) TrySubmit(t task.Task) (*Handle, error) {
	return s.submit(t, (*dispatch.Dispatcher).TrySubmit)
}

func (s *Supervisor) submit(t task.Task, put func(*dispatch.Dispatcher, *dispatch.Job) error) (*Handle, error) {
	pool, err := s.route(&t)
	if err != nil {
		return nil, err
	}
	h := &Handle{s: s, pool: pool}
	h.job.Init(t, h, true)
	h.end.Add(1)
	if err := put(pool.tasks, &h.job); err != nil {
		return nil, err
	}
	// Only now: Collect must not wait for what was refused.
	s.mu.Lock()
	s.unread.add(h)
	s.mu.Unlock()
	return h, nil
}

// ID is the task's id.
func (h *Handle) ID() string { return h.job.Result.Task.ID }

// Finished implements dispatch.Owner; it is not for callers.
func (h *Handle) Finished(*dispatch.Job) {
	h.mu.Lock()
	h.over = true
	if h.done != nil {
		close(h.done)
	}
	h.mu.Unlock()
	h.end.Done()
}

// Done is closed when the result is there.
func (h *Handle) Done() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.done == nil {
		h.done = make(chan struct{})
		if h.over {
			close(h.done)
		}
	}
	return h.done
}

// Wait returns the result when it is there. The error is only ever ctx's.
func (h *Handle) Wait(ctx context.Context) (task.Result, error) {
	if ctx.Done() == nil {
		h.end.Wait() // what cannot be cancelled needs no channel
	} else {
		select {
		case <-h.Done():
		case <-ctx.Done():
			return task.Result{}, context.Cause(ctx)
		}
	}
	h.Discard()
	return h.job.Result, nil
}

// Cancel ends the task without a result of its own. One that waits is cancelled at once; a
// running handler's context is cancelled, and its worker killed if it does not return
// within PoolConfig.CancelGrace.
func (h *Handle) Cancel() { h.pool.tasks.Cancel(&h.job) }

// Discard says that nobody will read the result; Collect leaves it out. The task runs
// all the same.
func (h *Handle) Discard() {
	h.s.mu.Lock()
	h.s.unread.remove(h)
	h.s.mu.Unlock()
	h.pool.tasks.Read(&h.job)
}

// handles is a list in the order of submission.
type handles struct{ first, last *Handle }

func (l *handles) add(h *Handle) {
	h.listed = true
	h.prev = l.last
	if l.last == nil {
		l.first = h
	} else {
		l.last.next = h
	}
	l.last = h
}

func (l *handles) remove(h *Handle) {
	if !h.listed {
		return
	}
	h.listed = false
	if h.prev == nil {
		l.first = h.next
	} else {
		h.prev.next = h.next
	}
	if h.next == nil {
		l.last = h.prev
	} else {
		h.next.prev = h.prev
	}
	h.prev, h.next = nil, nil
}

// Collect waits for all tasks submitted so far whose results nobody has read, and returns
// those in the order of submission. It can be called again: then for what was submitted
// since. The error is only ever ctx's; the results stay for another call.
func (s *Supervisor) Collect(ctx context.Context) ([]task.Result, error) {
	s.mu.Lock()
	var all []*Handle
	for h := s.unread.first; h != nil; h = h.next {
		all = append(all, h)
	}
	s.mu.Unlock()
	for _, h := range all {
		select {
		case <-h.Done():
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	results := make([]task.Result, 0, len(all))
	for _, h := range all {
		h.Discard()
		results = append(results, h.job.Result)
	}
	return results, nil
}
