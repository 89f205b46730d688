package supervisor

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/task"
)

// brokered are the handles of tasks that a broker keeps and whose results nobody has read.
type brokered struct {
	mu     sync.Mutex
	unread list.List // of *Handle, in the order of submission
	room   *semaphore.Weighted
}

func (b *brokered) all() []*Handle {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []*Handle
	for e := b.unread.Front(); e != nil; e = e.Next() {
		all = append(all, e.Value.(*Handle))
	}
	return all
}

// forget takes a handle off the list. With mu held.
func (b *brokered) forget(f *far) {
	if f.place != nil {
		b.unread.Remove(f.place)
		f.place = nil
	}
}

// leave ends the handles whose results are not there: nobody here will hear of them.
func (b *brokered) leave() {
	for _, h := range b.all() {
		b.mu.Lock()
		stop := h.far.stop
		b.mu.Unlock()
		if stop != nil {
			stop()
		}
		h.far.settled.Do(func() {
			h.far.left = true
			h.Finished(nil)
		})
	}
}

// far is what a Handle needs to know of a task that a broker keeps.
type far struct {
	s       *Supervisor
	id      string
	place   *list.Element // in brokered.unread; nil once it was read; guarded by brokered.mu
	stop    func()        // ends the wait for the result; nil before it begins; guarded by brokered.mu
	settled sync.Once     // the handle is finished, in one way or the other
	left    bool          // without a result; written before the handle is finished
}

func (f *far) cancel(h *Handle) {
	err := f.s.cfg.Broker.Cancel(context.Background(), h.ID())
	if err != nil && !errors.Is(err, broker.ErrFinished) {
		f.s.cfg.Logger.Warn("task could not be cancelled", "correlation_id", h.ID(), "error", err)
	}
}

func (f *far) read(h *Handle) {
	b := &f.s.brokered
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.place == nil {
		return
	}
	b.forget(f)
	b.room.Release(1)
	if f.stop != nil && !h.ended() {
		f.stop()
	}
}

// submitFar is Submit with a broker.
func (s *Supervisor) submitFar(ctx context.Context, t task.Task, wait bool) (*Handle, error) {
	m := &broker.Message{Task: t}
	if t.Expires > 0 {
		m.Expires = time.Now().Add(t.Expires)
	}
	room := s.brokered.room
	if !room.TryAcquire(1) {
		if !wait {
			return nil, ErrQueueFull
		}
		if err := room.Acquire(ctx, 1); err != nil {
			return nil, context.Cause(ctx)
		}
	}
	h, err := s.enqueueFar(ctx, m, t.Tag)
	for wait && errors.Is(err, broker.ErrFull) {
		select {
		case <-time.After(fullPause): // a broker tells nobody that there is room
			h, err = s.enqueueFar(ctx, m, t.Tag)
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	if err != nil {
		room.Release(1)
		if errors.Is(err, broker.ErrFull) {
			err = errors.Join(ErrQueueFull, err)
		}
		return nil, err
	}
	return h, nil
}

// fullPause is how long a broker whose queue is full is left alone.
const fullPause = 250 * time.Millisecond

func (s *Supervisor) enqueueFar(ctx context.Context, m *broker.Message, tag any) (*Handle, error) {
	if errs := s.Enqueue(ctx, []*broker.Message{m}); errs != nil {
		return nil, errs[0]
	}
	h := &Handle{far: &far{s: s, id: m.Task.ID}}
	h.end.Add(1)
	b := &s.brokered
	b.mu.Lock()
	h.far.place = b.unread.PushBack(h)
	b.mu.Unlock()
	stop, err := s.cfg.Broker.OnResult(context.WithoutCancel(ctx), m.Task.ID, func(r task.Result) {
		h.far.settled.Do(func() {
			r.Task.Tag = tag
			h.job.Result = r
			h.Finished(nil)
		})
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.forget(h.far)
		return nil, err
	}
	h.far.stop = stop
	return h, nil
}
