package jetstream

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/jetstream/storepb"
	"github.com/brood-run/brood/supervisor/task"
)

// Get implements broker.Ledger.
func (b *Broker) Get(ctx context.Context, id string) (r broker.Record, err error) {
	defer func() { err = b.cause(err) }()
	if err := b.closed(); err != nil {
		return broker.Record{}, err
	}
	// A task that finishes while it is looked for is in neither place if the result is looked for once.
	for range 2 {
		if r, err := b.finished(ctx, id); !errors.Is(err, broker.ErrNotFound) {
			return r, err
		}
		if q, err := b.find(ctx, id); !errors.Is(err, broker.ErrNotFound) {
			return q.record(), err
		}
	}
	return broker.Record{}, broker.ErrNotFound
}

// finished returns what is known of a task that has its result.
func (b *Broker) finished(ctx context.Context, id string) (broker.Record, error) {
	s, err := b.last(ctx, b.names.stream("r"), b.names.result(id))
	if err != nil {
		return broker.Record{}, err
	}
	m, r, err := readResult(s.data)
	if err != nil {
		return broker.Record{}, fmt.Errorf("the result of task %s is damaged: %w", id, err)
	}
	return broker.Record{Message: m, State: finalState(r.Status), Result: &r}, nil
}

// finalState is the state that a status stands for.
func finalState(status task.Status) task.State {
	switch status {
	case task.Completed:
		return task.StateCompleted
	case task.Cancelled:
		return task.StateCancelled
	case task.Expired:
		return task.StateExpired
	}
	return task.StateDead
}

// queued is a task that was found in a queue.
type queued struct {
	message broker.Message
	stream  string
	subject string
	seq     uint64
	state   task.State
}

func (q *queued) record() broker.Record {
	if q == nil {
		return broker.Record{}
	}
	return broker.Record{Message: q.message, State: q.state}
}

// find looks for a task that has no result. broker.ErrNotFound.
func (b *Broker) find(ctx context.Context, id string) (*queued, error) {
	q, err := b.findIn(ctx, b.everyPool(), id)
	if errors.Is(err, broker.ErrNotFound) {
		q, err = b.findDelayed(ctx, id)
	}
	if b.engine == nil && errors.Is(err, broker.ErrNotFound) {
		// Others may have made pools that we do not know.
		all, err := b.findPools(ctx)
		if err != nil {
			return nil, err
		}
		return b.findIn(ctx, all, id)
	}
	return q, err
}

func (b *Broker) findIn(ctx context.Context, pools []*pool, id string) (*queued, error) {
	for _, p := range pools {
		s, err := b.last(ctx, p.stream, b.names.subject("q", token(p.name), "*", token(id)))
		if errors.Is(err, broker.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		q, err := b.read(s, p.stream)
		if err != nil {
			return nil, err
		}
		return q, b.stand(ctx, p, q)
	}
	return nil, broker.ErrNotFound
}

// everyPool returns all pools that are known.
func (b *Broker) everyPool() []*pool {
	b.mu.Lock()
	defer b.mu.Unlock()
	pools := make([]*pool, 0, len(b.pools))
	for _, p := range b.pools {
		pools = append(pools, p)
	}
	return pools
}

func (b *Broker) read(s stored, stream string) (*queued, error) {
	var t storepb.Task
	if err := proto.Unmarshal(s.data, &t); err != nil {
		return nil, fmt.Errorf("message %d of stream %s is damaged: %w", s.seq, stream, err)
	}
	q := &queued{stream: stream, subject: s.subject, seq: s.seq}
	fromTask(&t, &q.message)
	return q, nil
}

// stand finds out whether a task in a queue is leased, and what has happened to it.
func (b *Broker) stand(ctx context.Context, p *pool, q *queued) error {
	id := q.message.Task.ID
	if c := b.held.get(id); c != nil && c.runs() {
		q.message, q.state = c.lease.Message, task.StateRunning
		return nil
	}
	s, err := b.last(ctx, b.names.stream("s"), b.names.state(p.name, id))
	switch {
	case errors.Is(err, broker.ErrNotFound) || err == nil && len(s.data) == 0:
	case err != nil:
		return err
	default:
		state, err := readState(s.data)
		if err != nil {
			return fmt.Errorf("the state of task %s is damaged: %w", id, err)
		}
		q.message.History = fromHistory(state.GetHistory())
		if q.message.History.Starts > 0 {
			q.state = task.StateRetrying
		}
	}
	elsewhere, err := b.heldElsewhere(ctx, p, q)
	if elsewhere {
		q.state = task.StateRunning
	}
	return err
}

// OnResult implements broker.Ledger.
func (b *Broker) OnResult(ctx context.Context, id string, f func(task.Result)) (stop func(), err error) {
	if err := b.closed(); err != nil {
		return nil, err
	}
	x := &waiter{f: f}
	if err := b.waiters.add(id, x, b.subscription(id)); err != nil {
		return nil, err
	}
	stop = func() { b.waiters.remove(id, x) }
	if err := b.lookFor(ctx, id); err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// lookFor tells those who wait for a result if it is there.
func (b *Broker) lookFor(ctx context.Context, id string) error {
	r, err := b.finished(ctx, id)
	if errors.Is(err, broker.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	b.waiters.tell(id, r.Result)
	return nil
}
