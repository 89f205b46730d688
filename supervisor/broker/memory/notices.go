package memory

import (
	"context"
	"maps"

	"github.com/brood-run/brood/supervisor/broker"
)

// subscriber is a channel of notices. What it has not been given yet waits in pending.
type subscriber struct {
	pending map[*item]struct{}
	wake    chan struct{}
}

// Notices implements broker.Queue. All tasks of a process are held by it, so every channel gets
// every notice.
func (b *Broker) Notices(ctx context.Context) (<-chan broker.Notice, error) {
	b.mu.Lock()
	defer b.release()
	if err := b.usable(); err != nil {
		return nil, err
	}
	s := &subscriber{pending: map[*item]struct{}{}, wake: make(chan struct{}, 1)}
	b.notified[s] = struct{}{}
	notices := make(chan broker.Notice)
	b.tasks.Go(func() { b.feed(ctx, s, notices) })
	return notices, nil
}

// feed is the goroutine of one channel.
func (b *Broker) feed(ctx context.Context, s *subscriber, notices chan<- broker.Notice) {
	defer close(notices)
	defer b.unsubscribe(s)
	for {
		for it := range b.undelivered(s) {
			select {
			case notices <- broker.Notice{Cancel: it.msg.Task.ID}:
			case <-ctx.Done():
				return
			case <-b.stop:
				return
			}
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return
		case <-b.stop:
			return
		}
	}
}

func (b *Broker) unsubscribe(s *subscriber) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.notified, s)
}

func (b *Broker) undelivered(s *subscriber) map[*item]struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	items := s.pending
	s.pending = map[*item]struct{}{}
	return items
}

// notify tells everybody to cancel a leased item. Nobody is told twice before he has listened, nor of
// items that were settled meanwhile, so that a channel that nobody reads cannot grow on and on.
func (b *Broker) notify(it *item) {
	for s := range b.notified {
		if len(s.pending) > 2*b.leases.Len()+fewStale {
			maps.DeleteFunc(s.pending, func(it *item, _ struct{}) bool { return it.place != leased })
		}
		s.pending[it] = struct{}{}
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}
