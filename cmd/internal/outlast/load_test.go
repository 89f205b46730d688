package outlast

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// submitters call at the same time, in batches of at most maxBatch tasks.
const (
	submitters = 4
	maxBatch   = 200
)

// load submits tasks of all kinds, in batches, from several callers.
type load struct {
	ledger *ledger
	kinds  []kind
	seed   uint64
	named  bool              // all ids are ours
	every  time.Duration     // between batches of one caller; 0: at once
	to     func(int) *daemon // whom caller n speaks to next
}

// submit submits about so many tasks, or until ctx ends if total is 0, which is no error.
func (l *load) submit(ctx context.Context, total int) error {
	var left atomic.Int64
	left.Store(int64(total))
	largest := maxBatch / 10
	if total > 0 {
		largest = max(1, min(maxBatch, total/200)) // so that there are many calls to be cut off
	}
	var group errgroup.Group
	for n := range submitters {
		rnd := rand.New(rand.NewPCG(l.seed, uint64(n)))
		group.Go(func() error {
			for number := 0; ; number++ {
				size := 1 + rnd.IntN(largest)
				if total > 0 && left.Add(-int64(size)) <= int64(-size) {
					return nil
				}
				if l.every > 0 {
					pause(l.every)
				}
				items := l.batch(rnd, size, fmt.Sprintf("%d-%d", n, number))
				if err := l.ledger.submit(ctx, func() *daemon { return l.to(n) }, items); err != nil {
					if total == 0 && ctx.Err() != nil {
						return nil
					}
					return err
				}
			}
		})
	}
	return group.Wait()
}

// batch draws tasks. In one of eight batches the server makes the ids.
func (l *load) batch(rnd *rand.Rand, size int, name string) []*item {
	named := rnd.IntN(8) > 0 || l.named
	items := make([]*item, size)
	for i := range items {
		id := ""
		if named {
			id = fmt.Sprintf("%s-%d", name, i)
		}
		items[i] = draw(rnd, l.kinds, id)
		items[i].submitted = time.Now()
	}
	return items
}
