package jetstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/jetstream/storepb"
)

// deadPage bounds how many letters are read at once.
const deadPage = 256

// Dead implements broker.DeadLetters.
func (b *Broker) Dead(ctx context.Context, pool, after string, n int) (letters []broker.DeadLetter, next string, err error) {
	defer func() { err = b.cause(err) }()
	if err := b.closed(); err != nil {
		return nil, "", err
	}
	seq, err := position(after)
	if err != nil {
		return nil, "", err
	}
	filter := b.names.subject("d", "*", "*")
	if pool != "" {
		filter = b.names.subject("d", token(pool), "*")
	}
	list := &listing{b: b, filter: filter, seq: seq}
	for len(list.letters) < n {
		ended, err := list.read(ctx, min(n-len(list.letters), deadPage))
		if err != nil {
			return nil, "", err
		}
		if ended {
			return list.letters, "", list.damaged
		}
	}
	return list.letters, strconv.FormatUint(list.seq, 10), list.damaged
}

// listing is one call of Dead.
type listing struct {
	b       *Broker
	filter  string
	seq     uint64 // of the stream, from where on to read
	letters []broker.DeadLetter
	damaged error
}

// read takes up to n letters, at least one unless the list has ended.
func (l *listing) read(ctx context.Context, n int) (ended bool, err error) {
	q := lookup{Seq: l.seq, NextFor: l.filter, Batch: n}
	if l.b.replicated.Load() {
		return l.readReplicated(ctx, q)
	}
	before := l.seq
	left, err := l.b.get(ctx, l.b.names.stream("d"), q, l.take)
	return left == 0 || l.seq == before, err
}

// readReplicated asks the server that is near, which may lack the newest letters and have some that are gone, and its
// leader which of them are there and where the list ends.
func (l *listing) readReplicated(ctx context.Context, q lookup) (ended bool, err error) {
	stream := l.b.names.stream("d")
	ctx, cancel := l.b.bound(ctx)
	defer cancel()
	var lookups []lookup
	_, err = l.b.get(ctx, stream, q, func(s stored) { lookups = append(lookups, lookup{Seq: s.seq}) })
	if err != nil {
		return false, err
	}
	if len(lookups) == 0 {
		s, err := l.b.after(ctx, stream, l.seq, l.filter)
		if errors.Is(err, broker.ErrNotFound) {
			return true, nil
		}
		if err == nil {
			l.take(s)
		}
		return false, err
	}
	found, err := l.b.askAll(ctx, stream, lookups)
	if err != nil {
		return false, err
	}
	slices.SortFunc(found, func(a, b stored) int { return cmp.Compare(a.seq, b.seq) })
	for _, s := range found {
		l.take(s)
	}
	l.seq = lookups[len(lookups)-1].Seq + 1
	_, err = l.b.after(ctx, stream, l.seq, l.filter)
	if errors.Is(err, broker.ErrNotFound) {
		return true, nil
	}
	return false, err
}

func (l *listing) take(s stored) {
	l.seq = s.seq + 1
	letter, err := readLetter(s)
	if err != nil {
		l.damaged = err
		return
	}
	l.letters = append(l.letters, letter)
}

// position reads a cursor.
func position(after string) (uint64, error) {
	if after == "" {
		return 1, nil
	}
	seq, err := strconv.ParseUint(after, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("jetstream: %q is no place in the list of dead letters", after)
	}
	return seq, nil
}

func readLetter(s stored) (broker.DeadLetter, error) {
	var stored storepb.Letter
	var l broker.DeadLetter
	if err := proto.Unmarshal(s.data, &stored); err != nil {
		return l, fmt.Errorf("dead letter %s is damaged: %w", lastToken(s.subject), err)
	}
	l.Result = fromResult(stored.GetResult(), &l.Message)
	l.Died = unstamp(stored.GetDied())
	return l, nil
}

// DeadLetter implements broker.DeadLetters.
func (b *Broker) DeadLetter(ctx context.Context, id string) (broker.DeadLetter, error) {
	l, _, err := b.deadLetter(ctx, id)
	return l, b.cause(err)
}

func (b *Broker) deadLetter(ctx context.Context, id string) (broker.DeadLetter, uint64, error) {
	if err := b.closed(); err != nil {
		return broker.DeadLetter{}, 0, err
	}
	s, err := b.last(ctx, b.names.stream("d"), b.names.subject("d", "*", token(id)))
	if err != nil {
		return broker.DeadLetter{}, 0, err
	}
	l, err := readLetter(s)
	return l, s.seq, err
}

// Bury implements broker.DeadLetters.
func (b *Broker) Bury(ctx context.Context, id string) (err error) {
	defer func() { err = b.cause(err) }()
	_, seq, err := b.deadLetter(ctx, id)
	if err != nil {
		return err
	}
	return b.remove(ctx, b.names.stream("d"), seq)
}

// Revive implements broker.DeadLetters. The letter goes last: until then it can be revived again.
func (b *Broker) Revive(ctx context.Context, id string) (err error) {
	defer func() { err = b.cause(err) }()
	l, seq, err := b.deadLetter(ctx, id)
	if err != nil {
		return err
	}
	result, err := b.last(ctx, b.names.stream("r"), b.names.result(id))
	if err != nil && !errors.Is(err, broker.ErrNotFound) {
		return err
	}
	if err == nil {
		if err := b.remove(ctx, b.names.stream("r"), result.seq); err != nil {
			return err
		}
	}
	b.forget(l.Message.Pool, id)
	if err := b.clear(ctx, &l.Message); err != nil {
		return err
	}
	m := l.Message
	m.History, m.Submitted, m.Fresh = broker.History{}, time.Time{}, true
	if !m.Expires.IsZero() && time.Until(m.Expires) <= 0 {
		m.Expires = time.Time{} // it is of use to whoever revives it
	}
	errs := b.enqueue(ctx, []*broker.Message{&m}, strconv.FormatUint(seq, 10)+".")
	switch {
	case errs == nil || errors.Is(errs[0], broker.ErrDuplicate): // it was revived before, and the letter was left
		return b.remove(ctx, b.names.stream("d"), seq)
	case result.data != nil:
		_ = b.publish(ctx, []outgoing{{subject: result.subject, data: result.data}}) // the letter has it, too
	}
	return errs[0]
}

// clear takes a dead task out of its queue if it is still there: the server may not have heard yet that it has ended. What
// is queued under its id since then stays.
func (b *Broker) clear(ctx context.Context, dead *broker.Message) error {
	p := b.entry(dead.Pool)
	s, err := b.last(ctx, p.stream, b.names.subject("q", token(p.name), "*", token(dead.Task.ID)))
	if errors.Is(err, broker.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	q, err := b.read(s, p.stream)
	if err != nil || !q.message.Submitted.Equal(dead.Submitted) {
		return err
	}
	p.discard(dead.Task.ID)
	return b.remove(ctx, p.stream, q.seq)
}
