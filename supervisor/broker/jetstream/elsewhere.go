package jetstream

import (
	"context"
)

// heldElsewhere says whether another broker on the same server holds a task.
func (b *Broker) heldElsewhere(context.Context, string) (bool, error) { return false, nil }

// countLeased is how many tasks of a pool are leased, over all brokers.
func (b *Broker) countLeased(_ context.Context, p *pool) (int, error) { return b.held.count(p), nil }
