package supervisor

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/brood-run/brood/supervisor/internal/dispatch"
	"github.com/brood-run/brood/supervisor/task"
)

// Handle is a submitted task. Its result waits until it is read with Wait or Collect, or
// discarded; results that wait count against Config.ResultLimit.
type Handle struct {
	job  dispatch.Job
	end  sync.WaitGroup // done when the result is there
	mu   sync.Mutex     // guards what follows
	over bool
	done chan struct{} // made when somebody asks for it

	far *far // where its task is kept, if a broker keeps it
}

// Submit queues a task and returns without waiting for a worker. While the queue is full
// or too many results are unread it waits for room, or for ctx. An error that wraps
// task.ErrInvalid says what is wrong with the task.
func (s *Supervisor) Submit(ctx context.Context, t task.Task) (*Handle, error) {
	if s.cfg.Broker != nil {
		return s.submitFar(ctx, t, true)
	}
	h, pool, at, err := s.handle(t)
	if err != nil {
		return nil, err
	}
	if err := pool.tasks.Submit(ctx, &h.job, at); err != nil {
		return nil, err
	}
	return h, nil
}

// TrySubmit is Submit that returns ErrQueueFull instead of waiting.
func (s *Supervisor) TrySubmit(t task.Task) (*Handle, error) {
	if s.cfg.Broker != nil {
		return s.submitFar(context.Background(), t, false)
	}
	h, pool, at, err := s.handle(t)
	if err != nil {
		return nil, err
	}
	if err := pool.tasks.TrySubmit(&h.job, at); err != nil {
		return nil, err
	}
	return h, nil
}

// handle prepares a task for submission to its pool. It returns the time too, which is
// read once.
func (s *Supervisor) handle(t task.Task) (*Handle, *plugin, time.Time, error) {
	now := time.Now()
	pool, err := s.route(&t, now)
	if err != nil {
		return nil, nil, now, err
	}
	h := &Handle{}
	h.job.Init(t, h, true)
	h.end.Add(1)
	return h, pool, now, nil
}

// ID is the task's id.
func (h *Handle) ID() string {
	if h.far != nil {
		return h.far.id
	}
	return h.job.Result.Task.ID
}

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

func (h *Handle) ended() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.over
}

// Wait returns the result when it is there. The error is only ever ctx's; or, with Config.Broker,
// ErrClosed when the supervisor has stopped: the task is the broker's then, without a result.
func (h *Handle) Wait(ctx context.Context) (task.Result, error) {
	if err := h.wait(ctx); err != nil {
		return task.Result{}, err
	}
	h.Discard()
	return h.job.Result, nil
}

func (h *Handle) wait(ctx context.Context) error {
	if ctx.Done() == nil || h.ended() {
		h.end.Wait() // what cannot be cancelled needs no channel
		return h.outcome()
	}
	select {
	case <-h.Done():
		return h.outcome()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// outcome is nil if an ended handle has its result.
func (h *Handle) outcome() error {
	if h.far != nil && h.far.left {
		return ErrClosed
	}
	return nil
}

// Cancel ends the task without a result of its own. One that waits is cancelled at once; a
// running handler's context is cancelled, and its worker killed if it does not return
// within PoolConfig.CancelGrace.
func (h *Handle) Cancel() {
	if h.far != nil {
		h.far.cancel(h)
		return
	}
	h.job.Cancel()
}

// Discard says that nobody will read the result; Collect leaves it out. The task runs
// all the same.
func (h *Handle) Discard() {
	if h.far != nil {
		h.far.read(h)
		return
	}
	h.job.Read()
}

// Collect waits for all tasks submitted so far whose results nobody has read, and returns
// those in the order of submission. It can be called again: then for what was submitted
// since. The error is only ever ctx's, or as of Handle.Wait; the results stay for another call.
func (s *Supervisor) Collect(ctx context.Context) ([]task.Result, error) {
	all := s.unread()
	for _, h := range all {
		if err := h.wait(ctx); err != nil {
			return nil, err
		}
	}
	results := make([]task.Result, len(all))
	for i, h := range all {
		h.Discard()
		results[i] = h.job.Result
	}
	return results, nil
}

// unread returns the tasks whose results nobody has read, in the order of submission.
func (s *Supervisor) unread() []*Handle {
	if s.cfg.Broker != nil {
		return s.brokered.all()
	}
	var all []*Handle
	pools := s.pools()
	for _, p := range pools {
		for _, j := range p.tasks.Tracked() {
			all = append(all, j.Owner().(*Handle))
		}
	}
	if len(pools) > 1 {
		slices.SortStableFunc(all, func(a, b *Handle) int { return cmp.Compare(a.job.Submitted(), b.job.Submitted()) })
	}
	return all
}
