package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/internal/policy"
	"github.com/brood-run/brood/supervisor/task"
)

// Enqueue implements broker.Queue.
func (b *Broker) Enqueue(ctx context.Context, messages []*broker.Message) []error {
	errs := b.enqueue(ctx, messages, "")
	for i, err := range errs {
		errs[i] = b.cause(err)
	}
	return errs
}

// enqueue stores messages. life tells one of several lives of a task from the others.
func (b *Broker) enqueue(ctx context.Context, messages []*broker.Message, life string) []error {
	if err := b.closed(); err != nil {
		return all(len(messages), err)
	}
	ctx, cancel := b.bound(ctx)
	defer cancel()
	e := &enqueuing{b: b, messages: messages, errs: make([]error, len(messages)), life: life}
	e.admit(ctx)
	e.known(ctx)
	e.claim(ctx)
	e.remind(ctx)
	e.roomLater(ctx)
	e.store(ctx)
	for i, err := range e.errs {
		if err != nil {
			e.release(ctx, i)
		}
	}
	if !e.failed() {
		return nil
	}
	return e.errs
}

// enqueuing is one call of Enqueue. A message with an error is left out of the steps that follow.
type enqueuing struct {
	b        *Broker
	messages []*broker.Message
	errs     []error
	life     string
	subjects []string
	stored   []bool       // messages that are for their queues at once
	claimed  map[int]bool // messages whose unique keys were taken by this call
}

func (e *enqueuing) failed() bool {
	for _, err := range e.errs {
		if err != nil {
			return true
		}
	}
	return false
}

// admit looks at each message for itself and finds its place.
func (e *enqueuing) admit(ctx context.Context) {
	now := time.Now()
	e.subjects = make([]string, len(e.messages))
	var last *broker.Message
	var lastRank int
	var prefix string
	for i, m := range e.messages {
		if e.errs[i] = admissible(m); e.errs[i] != nil {
			continue
		}
		if m.Submitted.IsZero() {
			m.Submitted = now
		}
		// Most messages go where the one before went.
		rank := rank(m, now)
		if last == nil || m.Pool != last.Pool || rank != lastRank {
			var err error
			if prefix, err = e.b.place(ctx, m.Pool, rank); err != nil {
				e.errs[i] = err
				continue
			}
			last, lastRank = m, rank
		}
		e.subjects[i] = prefix + token(m.Task.ID)
	}
}

// rank is the level of a message. What has waited elsewhere has aged: it goes where what comes now has
// the same key. However late and often a delayed one is brought to its queue, it has one place there.
func rank(m *broker.Message, now time.Time) int {
	if !m.NotBefore.IsZero() {
		now = m.NotBefore
	}
	aged := now.Sub(m.Submitted) / policy.PriorityStep
	return level(min(max(m.Task.Priority+int(aged), task.MinPriority), task.MaxPriority))
}

// place is where a message is queued: how its subject begins, once there is a stream and a consumer for it.
func (b *Broker) place(ctx context.Context, pool string, level int) (string, error) {
	p, err := b.pool(ctx, pool)
	if err != nil {
		return "", err
	}
	if _, err := p.level(ctx, level); err != nil {
		return "", err
	}
	return p.prefix(level), nil
}

func admissible(m *broker.Message) error {
	if m.Task.ID == "" || m.Pool == "" {
		return errors.New("jetstream: a message has no id or no pool")
	}
	if m.ConcurrencyKey != "" && m.ConcurrencyLimit < 1 {
		return fmt.Errorf("%w: concurrency_limit %d is less than 1", task.ErrInvalid, m.ConcurrencyLimit)
	}
	return nil
}

// store puts the messages into their queues, and those whose time has not come where they wait for it.
func (e *enqueuing) store(ctx context.Context) {
	e.queue(ctx, func(m *broker.Message) bool { return !delayed(m) })
	var out []outgoing
	var index []int
	for i, m := range e.messages {
		if e.errs[i] != nil || e.stored[i] {
			continue
		}
		data, err := e.b.encodeTask(m)
		if err != nil {
			e.errs[i] = err
			continue
		}
		o := e.b.at(m.NotBefore, delays, m.Pool, m.Task.ID, data)
		o.header["Nats-Expected-Last-Subject-Sequence"] = []string{"0"}
		out, index = append(out, o), append(index, i)
	}
	e.publish(ctx, out, index)
}

// queue puts those of the messages into their queues that are to go there now.
func (e *enqueuing) queue(ctx context.Context, now func(*broker.Message) bool) {
	e.stored = make([]bool, len(e.messages))
	out := make([]outgoing, 0, len(e.messages))
	index := make([]int, 0, len(e.messages))
	for i, m := range e.messages {
		if e.errs[i] != nil || !now(m) {
			continue
		}
		e.stored[i] = true
		data, err := e.b.encodeTask(m)
		if err != nil {
			e.errs[i] = err
			continue
		}
		out = append(out, outgoing{subject: e.subjects[i], data: data, header: e.header(m)})
		index = append(index, i)
	}
	e.publish(ctx, out, index)
}

// header has a cluster recognise a task that it was sent before, even when that one is done and gone: of two
// tries to submit it, the first may have been kept by a server that had nobody to store it with. A server in
// this process stores what it is sent in its order.
func (e *enqueuing) header(m *broker.Message) nats.Header {
	if e.b.engine != nil {
		return nil
	}
	return nats.Header{nats.MsgIdHdr: []string{e.life + token(m.Task.ID)}}
}

// publish stores what stands for the messages of an index.
func (e *enqueuing) publish(ctx context.Context, out []outgoing, index []int) {
	for n, err := range e.b.publish(ctx, out) {
		if errors.Is(err, errInProcess) {
			err = e.b.publishAfter(ctx, out[n])
		}
		if errors.Is(err, errExists) {
			err = broker.ErrDuplicate
		}
		e.errs[index[n]] = err
	}
	e.missing()
}

// inProcessPause is how long another try to store the same task is given to end.
const inProcessPause = 20 * time.Millisecond

// publishAfter stores what somebody else tries to store, too, unless that succeeds.
func (b *Broker) publishAfter(ctx context.Context, o outgoing) error {
	for {
		select {
		case <-ctx.Done():
			return unavailable(errInProcess)
		case <-time.After(inProcessPause):
		}
		errs := b.publish(ctx, []outgoing{o})
		if errs == nil {
			return nil
		}
		if !errors.Is(errs[0], errInProcess) {
			return errs[0]
		}
	}
}

// missing has the pools looked at again whose messages nobody took.
func (e *enqueuing) missing() {
	for i, err := range e.errs {
		if !errors.Is(err, broker.ErrUnavailable) {
			continue
		}
		e.b.mu.Lock()
		p := e.b.pools[e.messages[i].Pool]
		e.b.mu.Unlock()
		if p != nil {
			p.stale()
		}
	}
}
