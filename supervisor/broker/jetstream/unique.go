package jetstream

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/jetstream/storepb"
)

// orphaned is how old a claim of a key is that nobody is about to follow with its task.
const orphaned = time.Minute

// holders is the stream of unique keys: a message under a key's subject is who holds it.
func (s *session) holders() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: s.names.stream("u"), Subjects: []string{s.names.subject("u", "*")}, AllowDirect: true, AllowMsgTTL: true,
		MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true,
	}
}

// claim takes the unique keys of messages, and refuses those whose keys others hold.
func (e *enqueuing) claim(ctx context.Context) {
	e.claimed = map[int]bool{}
	for i, m := range e.messages {
		if e.errs[i] != nil || m.UniqueKey == "" {
			continue
		}
		e.claimed[i], e.errs[i] = e.b.take(ctx, m)
	}
}

// take takes a message's unique key. It is not taken if the message has it already.
func (b *Broker) take(ctx context.Context, m *broker.Message) (taken bool, err error) {
	now := time.Now()
	h := &storepb.Holder{Key: m.UniqueKey, Id: m.Task.ID, Since: stamp(now)}
	out := outgoing{subject: b.names.subject("u", token(m.UniqueKey))}
	if m.UniqueTTL > 0 {
		h.Until = stamp(now.Add(m.UniqueTTL))
		// The server knows seconds only, and is in no hurry: Until is what counts.
		out.header = nats.Header{"Nats-TTL": []string{strconv.FormatInt(int64(m.UniqueTTL/time.Second)+1, 10)}}
	}
	if out.data, err = encode(h); err != nil {
		return false, err
	}
	for range 3 {
		errs := b.publish(ctx, []outgoing{out})
		if errs == nil {
			return true, nil
		}
		if !errors.Is(errs[0], errExists) {
			return false, errs[0]
		}
		holder, seq, err := b.holder(ctx, m.UniqueKey)
		switch {
		case errors.Is(err, broker.ErrNotFound):
			continue
		case err != nil:
			return false, err
		case holder.GetId() == m.Task.ID:
			return false, nil
		}
		held, err := b.stillHeld(ctx, holder)
		if err != nil {
			return false, err
		}
		if held {
			return false, &broker.HeldError{Key: m.UniqueKey, Holder: holder.GetId()}
		}
		if err := b.remove(ctx, b.names.stream("u"), seq); err != nil {
			return false, err
		}
	}
	return false, unavailable(errors.New("a unique key changes hands too quickly"))
}

// stillHeld says whether a claim is good: somebody may have died between a key and its task, or between
// a result and the key that it frees.
func (b *Broker) stillHeld(ctx context.Context, h *storepb.Holder) (bool, error) {
	if h.GetUntil() != 0 && !time.Now().Before(unstamp(h.GetUntil())) {
		return false, nil
	}
	r, err := b.Get(ctx, h.GetId())
	switch {
	case errors.Is(err, broker.ErrNotFound):
		return time.Since(unstamp(h.GetSince())) < orphaned, nil
	case err != nil:
		return false, err
	}
	return r.Result == nil, nil
}

// holder is who holds a key. broker.ErrNotFound.
func (b *Broker) holder(ctx context.Context, key string) (*storepb.Holder, uint64, error) {
	s, err := b.last(ctx, b.names.stream("u"), b.names.subject("u", token(key)))
	if err != nil {
		return nil, 0, err
	}
	h := &storepb.Holder{}
	return h, s.seq, proto.Unmarshal(s.data, h)
}

// release gives back the key of a message that was not stored.
func (e *enqueuing) release(ctx context.Context, i int) {
	if e.claimed[i] && !errors.Is(e.errs[i], broker.ErrUnavailable) {
		e.b.freeUnique(ctx, e.messages[i])
	}
}

// freeUnique frees the key of a task that has its result. If it cannot be freed now, whoever wants it next
// finds that the task is finished.
func (b *Broker) freeUnique(ctx context.Context, m *broker.Message) {
	if m.UniqueKey == "" {
		return
	}
	h, seq, err := b.holder(ctx, m.UniqueKey)
	if err == nil && h.GetId() == m.Task.ID {
		err = b.remove(ctx, b.names.stream("u"), seq)
	}
	if err != nil && !errors.Is(err, broker.ErrNotFound) {
		b.cfg.Logger.Warn("a unique key is not freed yet", "key", m.UniqueKey, "task", m.Task.ID, "error", err)
	}
}
