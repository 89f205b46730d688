package jetstream

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Brokers on the same server ask each other what they hold: the server knows what it has delivered, not to whom.
// One that does not answer in time holds nothing, as far as the others know.
const askTime = 150 * time.Millisecond

// heldElsewhere says whether another broker on the same server holds a task.
func (b *Broker) heldElsewhere(ctx context.Context, p *pool, q *queued) (bool, error) {
	if b.engine != nil {
		return false, nil
	}
	tokens := strings.Split(q.subject, ".")
	c, err := b.js.Consumer(ctx, p.stream, tokens[len(tokens)-2])
	if err != nil {
		return false, unavailable(err)
	}
	if q.seq > c.CachedInfo().Delivered.Stream {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	id := q.message.Task.ID
	_, err = b.peers.RequestWithContext(ctx, b.names.subject("x", "held", token(id)), []byte(id))
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrNoResponders), errors.Is(err, nats.ErrTimeout):
		return false, nil
	}
	return false, unavailable(err)
}

// hearHeld answers those who ask for a task that is held here.
func (b *Broker) hearHeld(m *nats.Msg) {
	if c := b.held.get(string(m.Data)); c != nil && c.runs() {
		_ = m.Respond(nil) // they ask again
	}
}

// countLeased is how many tasks of a pool are leased, over all brokers. delivered is how many may be.
func (b *Broker) countLeased(p *pool, delivered int) (int, error) {
	n := b.held.count(p)
	if b.engine != nil || n >= delivered {
		return n, nil
	}
	inbox := b.peers.NewInbox()
	answers := make(chan *nats.Msg, 256)
	sub, err := b.peers.ChanSubscribe(inbox, answers)
	if err != nil {
		return 0, unavailable(err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only if the connection is closed
	if err := b.peers.PublishRequest(b.names.subject("x", "count", token(p.name)), inbox, []byte(p.name)); err != nil {
		return 0, unavailable(err)
	}
	late := time.NewTimer(askTime)
	defer late.Stop()
	for total := n; ; {
		select {
		case m := <-answers:
			if len(m.Header) > 0 { // there is nobody else
				return total, nil
			}
			k, _ := strconv.Atoi(string(m.Data)) // what is no number counts for nothing
			if total += k; total >= delivered {
				return total, nil
			}
		case <-late.C:
			return total, nil
		}
	}
}

// hearCount answers those who count a pool's leases.
func (b *Broker) hearCount(m *nats.Msg) {
	b.mu.Lock()
	p := b.pools[string(m.Data)]
	b.mu.Unlock()
	if p != nil {
		_ = m.Respond([]byte(strconv.Itoa(b.held.count(p)))) // they ask again
	}
}

// hearOver forgets what was read ahead of a task that another broker has ended.
func (b *Broker) hearOver(m *nats.Msg) {
	for _, p := range b.everyPool() {
		p.discard(string(m.Data))
	}
}
