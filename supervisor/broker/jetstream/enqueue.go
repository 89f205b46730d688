package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

// Enqueue implements broker.Queue.
func (b *Broker) Enqueue(ctx context.Context, messages []*broker.Message) []error {
	if err := b.closed(); err != nil {
		return all(len(messages), err)
	}
	ctx, cancel := b.bound(ctx)
	defer cancel()
	e := &enqueuing{b: b, messages: messages, errs: make([]error, len(messages))}
	e.admit(ctx)
	e.known(ctx)
	e.claim(ctx)
	e.store(ctx)
	for i, err := range e.errs {
		if err != nil {
			e.release(i)
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
	subjects []string
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
	var prefix string
	for i, m := range e.messages {
		if m.Task.ID == "" || m.Pool == "" {
			e.errs[i] = errors.New("jetstream: a message has no id or no pool")
			continue
		}
		if m.Submitted.IsZero() {
			m.Submitted = now
		}
		// Most messages go where the one before went.
		if last == nil || m.Pool != last.Pool || m.Task.Priority != last.Task.Priority {
			var err error
			if prefix, err = e.b.place(ctx, m); err != nil {
				e.errs[i] = err
				continue
			}
			last = m
		}
		e.subjects[i] = prefix + token(m.Task.ID)
	}
}

// place is where a message is queued: how its subject begins, once there is a stream and a consumer for it.
func (b *Broker) place(ctx context.Context, m *broker.Message) (string, error) {
	p, err := b.pool(ctx, m.Pool)
	if err != nil {
		return "", err
	}
	q, err := p.level(ctx, level(m.Task.Priority))
	if err != nil {
		return "", err
	}
	return p.prefix(q.level), nil
}

// store puts the messages into their queues.
func (e *enqueuing) store(ctx context.Context) {
	out := make([]outgoing, 0, len(e.messages))
	index := make([]int, 0, len(e.messages))
	for i, m := range e.messages {
		if e.errs[i] != nil {
			continue
		}
		data, err := encode(toTask(m))
		if err == nil && int64(len(data)) > e.b.nc.MaxPayload() {
			err = fmt.Errorf("jetstream: task %s takes %d bytes, the server takes at most %d", m.Task.ID, len(data), e.b.nc.MaxPayload())
		}
		if err != nil {
			e.errs[i] = err
			continue
		}
		out = append(out, outgoing{subject: e.subjects[i], data: data})
		index = append(index, i)
	}
	for n, err := range e.b.publish(ctx, out) {
		if errors.Is(err, errExists) {
			err = broker.ErrDuplicate
		}
		e.errs[index[n]] = err
	}
	e.missing()
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
