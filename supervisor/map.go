package supervisor

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/brood-run/brood/supervisor/task"
)

// MapOptions shape a Map.
type MapOptions struct {
	// Ordered yields results in the order of their tasks instead of as they come.
	Ordered bool
	// Limit is how many tasks may be read from the input and not yielded yet.
	// Defaults to twice Config.QueueSize.
	Limit int
	// LimitBytes bounds the payloads and results among them. One task is
	// always let in. Defaults to 256 MiB.
	LimitBytes int
	// DrainInput reads the input to its end even after the context is cancelled, and
	// reports each of its tasks as cancelled.
	DrainInput bool
}

// Map streams tasks from an iterator through the workers and yields one result for each,
// while tasks are still being produced. A pair with an error is not run: it yields a result
// with status rejected that keeps the task's ID and Tag; the error's kind is
// taken from a *task.Error, or is "invalid".
//
// Cancelling ctx cancels the tasks that have not started, lets the running ones
// finish, and ends the input. Breaking out of the loop also cancels the running ones.
// Map does not end before the input iterator has returned control.
func (s *Supervisor) Map(ctx context.Context, in iter.Seq2[task.Task, error], opt MapOptions) iter.Seq[task.Result] {
	if opt.Limit <= 0 {
		opt.Limit = 2 * s.cfg.QueueSize
	}
	if opt.LimitBytes <= 0 {
		opt.LimitBytes = 256 << 20
	}
	return func(yield func(task.Result) bool) {
		m := &mapping{s: s, opt: opt, ready: make(chan struct{}, 1), room: make(chan struct{}, 1)}
		ctx, cancel := context.WithCancel(ctx)
		var producer sync.WaitGroup
		producer.Go(func() { m.produce(ctx, in) })
		unhook := context.AfterFunc(ctx, m.abandon)
		defer func() { // also when the loop's body panics
			m.leave()
			cancel()
			unhook()
			producer.Wait()
		}()
		m.consume(yield)
	}
}

// mapping is one running Map: a producer goroutine submits, the caller's consumes.
type mapping struct {
	s     *Supervisor
	opt   MapOptions
	ready chan struct{} // to the consumer: look; capacity 1
	room  chan struct{} // to the producer: look; capacity 1

	mu        sync.Mutex
	head      *mapItem // not yielded, in order of input
	tail      *mapItem
	finished  []*mapItem // not yielded, in order of completion; unused if Ordered
	count     int        // items not yielded
	bytes     int        // payloads and results of them
	exhausted bool       // the producer has ended
	left      bool       // nobody consumes any more
	abandoned bool       // ctx is cancelled
}

func (m *mapping) produce(ctx context.Context, in iter.Seq2[task.Task, error]) {
	defer func() {
		m.mu.Lock()
		m.exhausted = true
		m.mu.Unlock()
		poke(m.ready)
	}()
	for t, err := range in {
		if !m.admit(len(t.Payload)) {
			return
		}
		m.start(ctx, t, err)
		if ctx.Err() != nil && !m.opt.DrainInput {
			return
		}
	}
}

// admit waits until one more task may be taken in; false if nobody wants its result.
func (m *mapping) admit(size int) bool {
	for {
		m.mu.Lock()
		if m.left {
			m.mu.Unlock()
			return false
		}
		if m.count == 0 || m.count < m.opt.Limit && m.bytes+size <= m.opt.LimitBytes {
			m.count++
			m.bytes += size
			m.mu.Unlock()
			return true
		}
		m.mu.Unlock()
		<-m.room
	}
}

// start submits one task, or answers it at once.
func (m *mapping) start(ctx context.Context, t task.Task, err error) {
	it := &mapItem{m: m}
	now := time.Now()
	var pool *plugin
	if err == nil {
		pool, err = m.s.route(&t, now)
	}
	it.job.Init(t, it, false)
	m.add(it)
	if err == nil && ctx.Err() == nil {
		err = pool.tasks.Submit(ctx, &it.job, now)
		if err == nil {
			m.submitted(it)
			return
		}
	}
	it.job.Result.Status, it.job.Result.Err = refusal(ctx, err)
	it.Finished(nil)
}

// refusal says how a task ends that was not queued.
func refusal(ctx context.Context, err error) (task.Status, *task.Error) {
	var own *task.Error
	switch {
	case errors.As(err, &own):
		return task.Rejected, own
	case errors.Is(err, ErrNoPool):
		return task.Rejected, &task.Error{Kind: task.KindUnknownTask, Message: err.Error()}
	case ctx.Err() != nil:
		return task.Cancelled, &task.Error{Kind: task.KindCancelled, Message: "cancelled before it was started"}
	case errors.Is(err, ErrClosed):
		return task.Cancelled, &task.Error{Kind: task.KindCancelled, Message: err.Error()}
	default:
		return task.Rejected, &task.Error{Kind: task.KindInvalid, Message: err.Error()}
	}
}

// submitted notes where an item can be cancelled, and does so if the time for that has
// come meanwhile.
func (m *mapping) submitted(it *mapItem) {
	m.mu.Lock()
	it.submitted = true
	left, abandoned := m.left, m.abandoned
	m.mu.Unlock()
	switch {
	case left:
		it.job.Cancel()
	case abandoned:
		it.job.Abandon()
	}
}

// abandon cancels what has not started.
func (m *mapping) abandon() {
	m.mu.Lock()
	m.abandoned = true
	m.mu.Unlock()
	m.each(func(it *mapItem) { it.job.Abandon() })
}

// leave cancels everything: the consumer has gone.
func (m *mapping) leave() {
	m.mu.Lock()
	m.left = true
	m.mu.Unlock()
	poke(m.room)
	m.each(func(it *mapItem) { it.job.Cancel() })
}
