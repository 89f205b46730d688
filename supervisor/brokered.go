package supervisor

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/internal/feed"
	"github.com/brood-run/brood/supervisor/task"
)

// ErrNoBroker: what was asked for needs Config.Broker.
var ErrNoBroker = errors.New("the supervisor has no broker")

// Enqueue gives tasks to Config.Broker without waiting for results. It fills in the pool,
// and an id where there is none, and returns an error for each, nil for what is stored; a nil slice means
// that all are. Errors wrap task.ErrInvalid, ErrNoPool, those of broker.Queue's Enqueue,
// ErrClosed, ErrNotStarted or ErrNoBroker.
func (s *Supervisor) Enqueue(ctx context.Context, messages []*broker.Message) []error {
	now := time.Now()
	errs := make([]error, len(messages))
	good := make([]*broker.Message, 0, len(messages))
	at := make([]int, 0, len(messages))
	for i, m := range messages {
		if errs[i] = s.address(m, now); errs[i] == nil {
			good = append(good, m)
			at = append(at, i)
		}
	}
	bad := len(good) < len(messages)
	if len(good) > 0 {
		for i, err := range s.cfg.Broker.Enqueue(ctx, good) {
			errs[at[i]] = err
			bad = bad || err != nil
		}
	}
	if !bad {
		return nil
	}
	return errs
}

// address completes a message.
func (s *Supervisor) address(m *broker.Message, now time.Time) error {
	if s.cfg.Broker == nil {
		return ErrNoBroker
	}
	if err := m.Validate(); err != nil {
		return err
	}
	m.Fresh = m.Fresh || m.Task.ID == ""
	p, err := s.route(&m.Task, now)
	if err != nil {
		return err
	}
	if err := p.knows(&m.Task); err != nil {
		return err
	}
	m.Pool = p.name
	if m.Task.MaxAttempts == 0 && p.cfg.Load().MaxAttempts == 1 {
		m.Task.MaxAttempts = 1 // the broker has to know: see broker.Message.StartsOnce
	}
	if m.Submitted.IsZero() {
		m.Submitted = now
	}
	return nil
}

// knows refuses a task that the pool is said not to serve, before it is stored, and fills in the
// name if there is only one that it can be.
func (p *plugin) knows(t *task.Task) error {
	serves := p.cfg.Load().Tasks
	switch {
	case len(serves) == 0 || slices.Contains(serves, t.Name):
		return nil
	case t.Name == "" && len(serves) == 1:
		t.Name = serves[0]
		return nil
	}
	if t.Name == "" {
		return fmt.Errorf("%w: it has no name; pool %s serves: %s", ErrNoPool, p.name, strings.Join(serves, ", "))
	}
	return fmt.Errorf("%w: %q; pool %s serves: %s", ErrNoPool, t.Name, p.name, strings.Join(serves, ", "))
}

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

// far is what a Handle needs to know of a task that a broker keeps.
type far struct {
	s     *Supervisor
	id    string
	place *list.Element // in brokered.unread; nil once it was read; guarded by brokered.mu
	stop  func()        // ends the wait for the result; nil before it begins; guarded by brokered.mu
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
	if err != nil {
		room.Release(1)
		if errors.Is(err, broker.ErrFull) {
			err = errors.Join(ErrQueueFull, err)
		}
		return nil, err
	}
	return h, nil
}

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
		r.Task.Tag = tag
		h.job.Result = r
		h.Finished(nil)
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

// Drain starts no more of the tasks that a broker keeps, gives back those that wait here, and
// returns when none runs, or ctx ends. It lasts until Undrain. The error is only ever
// ctx's, ErrNotStarted, ErrClosed or ErrNoBroker.
func (s *Supervisor) Drain(ctx context.Context) error {
	if _, err := s.running(); err != nil {
		return err
	}
	if s.cfg.Broker == nil {
		return ErrNoBroker
	}
	s.draining.Store(true)
	var all errgroup.Group
	s.eachFeed(func(f *feed.Feed) { all.Go(func() error { return f.Drain(ctx) }) })
	return all.Wait()
}

// Undrain starts tasks again after Drain.
func (s *Supervisor) Undrain() {
	s.draining.Store(false)
	s.eachFeed((*feed.Feed).Undrain)
}

// Draining says that Drain was called, and Undrain was not.
func (s *Supervisor) Draining() bool { return s.draining.Load() }

func (s *Supervisor) eachFeed(do func(*feed.Feed)) {
	s.eachPool(func(p *plugin) {
		if p.feed != nil {
			do(p.feed)
		}
	})
}

// settleGrace is how long a broker that is unavailable is waited for when the supervisor stops. What is
// not settled by then is leased again by somebody.
const settleGrace = 5 * time.Second

// closeFeeds ends the feeds when all that they hold is settled.
func (s *Supervisor) closeFeeds() {
	ctx, cancel := context.WithTimeout(context.Background(), settleGrace)
	defer cancel()
	var all errgroup.Group
	s.eachFeed(func(f *feed.Feed) {
		all.Go(func() error {
			if err := f.Close(ctx); err != nil {
				s.cfg.Logger.Error("the broker did not take back all tasks in time; their leases lapse", "held", f.Held())
			}
			return nil
		})
	})
	_ = all.Wait()
}
