package memory

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/brood-run/brood/supervisor/broker"
)

// Dead implements broker.DeadLetters.
func (b *Broker) Dead(_ context.Context, name, after string, n int) ([]broker.DeadLetter, string, error) {
	b.mu.Lock()
	defer b.release()
	if err := b.usable(); err != nil {
		return nil, "", err
	}
	var from uint64
	if after != "" {
		var err error
		if from, err = strconv.ParseUint(after, 10, 63); err != nil {
			return nil, "", fmt.Errorf("%q is no cursor: pass what the last call returned", after)
		}
	}
	var p *pool
	if name != "" {
		if p = b.pools[name]; p == nil {
			return nil, "", nil
		}
	}
	page, next := b.letters.list(p, from, max(n, 1))
	if next == 0 {
		return page, "", nil
	}
	return page, strconv.FormatUint(next, 10), nil
}

// letter returns a dead letter that is there.
func (b *Broker) letter(id string) (*letter, error) {
	if err := b.usable(); err != nil {
		return nil, err
	}
	l := b.letters.byID[id]
	if l == nil {
		return nil, fmt.Errorf("dead letter of task %s: %w", id, broker.ErrNotFound)
	}
	return l, nil
}

// DeadLetter implements broker.DeadLetters.
func (b *Broker) DeadLetter(_ context.Context, id string) (broker.DeadLetter, error) {
	b.mu.Lock()
	defer b.release()
	l, err := b.letter(id)
	if err != nil {
		return broker.DeadLetter{}, err
	}
	return l.DeadLetter, nil
}

// Revive implements broker.DeadLetters. The task is as one that is submitted now: it waits for no
// time that was set, and a time to expire is as far away as it was at first.
func (b *Broker) Revive(_ context.Context, id string) error {
	b.mu.Lock()
	defer b.release()
	l, err := b.letter(id)
	if err != nil {
		return err
	}
	m := l.Message
	m.History, m.NotBefore = broker.History{}, time.Time{}
	life := m.Expires.Sub(m.Submitted)
	m.Submitted = time.Now()
	if !m.Expires.IsZero() {
		m.Expires = m.Submitted.Add(life)
	}
	old := b.items[id]
	if old != nil && old.place == finished {
		delete(b.items, id) // so that it is no duplicate
	}
	now := b.now()
	p, err := b.admit(&m, now)
	switch {
	case err == nil:
		b.letters.remove(id)
		if old != nil {
			b.results.Remove(old.listed)
		}
		b.serve(p, now)
	case old != nil:
		b.items[id] = old
	}
	return err
}

// Bury implements broker.DeadLetters.
func (b *Broker) Bury(_ context.Context, id string) error {
	b.mu.Lock()
	defer b.release()
	_, err := b.letter(id)
	if err == nil {
		b.letters.remove(id)
	}
	return err
}
