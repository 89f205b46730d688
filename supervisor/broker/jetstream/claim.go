package jetstream

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/jetstream/storepb"
	"github.com/brood-run/brood/supervisor/internal/policy"
)

// claim is a lease and what this broker knows of it. It is the lease's Token.
type claim struct {
	*arrival
	lease    broker.Lease
	pool     *pool
	key      int64  // policy.Key
	slot     string // of its concurrency key, if brokers share the server
	state    uint64 // the sequence of the task's state when it was looked at; 0: there was none
	author   uint64 // of what is stored for this claim; 0: nothing is
	stored   bool   // the task has a state
	vanished bool   // an attempt has begun, or may have, of which nobody has told the end
	over     bool   // its task was ended while it waited, and may have been sent before that
	doubtful bool   // this seems to be the first delivery, and need not be
	unseen   uint32 // deliveries that nobody leased

	submitted broker.History // what the task came with

	wanted    atomic.Pointer[time.Time] // when its holder last said to go on although the lease is lost
	beginning atomic.Bool               // its holder is saying that an attempt begins, and has no answer yet
}

// open reads what has arrived.
func (a *arrival) open(p *pool) (*claim, error) {
	var s storepb.Task
	if err := proto.Unmarshal(a.data, &s); err != nil {
		return nil, fmt.Errorf("message %d of stream %s is damaged: %w", a.seq, p.stream, err)
	}
	c := &claim{pool: p, arrival: a}
	fromTask(&s, &c.lease.Message)
	c.submitted = c.lease.History
	c.lease.Delivery, c.lease.Token = int(a.delivery), c
	c.key = policy.Key(s.GetSubmitted(), int(s.GetPriority()))
	return c, nil
}

// afresh forgets what was found out about the task's past: one that waits for room is looked into each time that it
// may have some. So many of its deliveries were let go of here.
func (c *claim) afresh(unheld uint32) {
	c.unseen = min(unheld, uint32(c.delivery-1))
	c.lease.Delivery, c.lease.History = int(c.delivery)-int(c.unseen), c.submitted
	c.vanished = false
}

// write returns the author of what is stored for the claim.
func (c *claim) write() uint64 {
	for c.author == 0 {
		c.author = rand.Uint64()
	}
	return c.author
}

// lapsed says that the lease was not renewed in time: it may be somebody else's. The server's clock started when it sent
// the task, ours when that arrived.
func (c *claim) lapsed() bool { return c.pool.lapsed(c.arrival) }

// gone says that the lease lapsed so long ago that the task must have been leased again, unless nobody wants it.
func (c *claim) gone() bool { return c.age() >= c.pool.b.cfg.LeaseTime*3/2 }

// expired says that the task was to be started before now.
func (c *claim) expired() bool {
	return !c.lease.Expires.IsZero() && time.Until(c.lease.Expires) <= 0
}

func (c *claim) age() time.Duration { return time.Since(*c.renewed.Load()) }

// claimOf is what is behind a lease of this broker.
func claimOf(l *broker.Lease) (*claim, error) {
	if l != nil {
		if c, ok := l.Token.(*claim); ok {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%w: it is not one of this broker", broker.ErrLost)
}
