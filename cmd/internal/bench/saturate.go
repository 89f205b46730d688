package bench

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/brood-run/brood/supervisor"
)

const (
	// window is how many tasks of a microsecond a pool has in one worker's pipe, queuedUp how
	// many times as many there are in all, so that the pipes are never waiting for the
	// driver.
	window   = 256
	queuedUp = 4
	// allInFlight bounds that for many workers: what waits has to be collected as garbage,
	// too.
	allInFlight = 16 << 10
	// keepBusy is how much work lies ready for each worker, so that it never waits
	// for the driver; more would only make the end of a measurement long.
	keepBusy = 10 * time.Millisecond
	// bytesInFlight bounds the payloads in flight, and with them their results.
	bytesInFlight = 64 << 20
)

// InFlight is how many tasks are kept in flight in all: enough to keep the workers
// busy, few enough not to fill the memory. typical is what one task takes.
func InFlight(workers, slots, payload int, typical time.Duration) int {
	each := queuedUp * inPipe(workers)
	if typical > 0 {
		each = min(each, int(keepBusy/typical))
	}
	each = max(each, 2*slots)
	all := min(workers*each, allInFlight, bytesInFlight/max(1, payload))
	return max(all, workers*slots)
}

// InPipes is how many of them are in the workers' pipes, for who has nothing but pipes.
func InPipes(workers, payload int) int {
	return max(workers, min(workers*inPipe(workers), bytesInFlight/max(1, payload)))
}

// inPipe is that for one worker. Many need not be that far ahead each.
func inPipe(workers int) int {
	if workers > 16 {
		return window / 4
	}
	return window
}

// Saturate keeps the workers as busy as they can be for d, after a warm-up of a
// quarter of that, and returns how many tasks completed each second.
func (r *Rig) Saturate(ctx context.Context, d time.Duration) (float64, Tally, error) {
	inFlight := InFlight(r.workers, max(1, r.target.Pool.Slots), len(r.target.Payload), r.typical)
	n := min(runtime.GOMAXPROCS(0), inFlight)
	clients := make([]client, n)
	from := time.Now().Add(d / 4)
	var group sync.WaitGroup
	for i := range clients {
		share := inFlight / n
		if i < inFlight%n {
			share++
		}
		clients[i] = client{rig: r, ring: make([]*supervisor.Handle, share), from: from, span: d}
		group.Go(func() { clients[i].run(ctx) })
	}
	group.Wait()
	rate, sum := 0.0, Tally{}
	for i := range clients {
		c := &clients[i]
		if c.err != nil {
			return 0, sum, c.err
		}
		rate += c.rate()
		sum.merge(c.sum)
	}
	return rate, sum, nil
}

// client is one goroutine that submits tasks and waits for their results, with as
// many in flight as its ring has room for.
type client struct {
	rig  *Rig
	ring []*supervisor.Handle // the oldest at next
	next int
	from time.Time
	span time.Duration

	first, last mark
	sum         Tally
	err         error
}

// mark is a moment and what had completed, and ended in any way, by then.
type mark struct {
	at          time.Time
	done, ended int
}

// run goes on until the time is over, and then until all it submitted is
// answered. It replaces half of its tasks at a time: the other half keeps the
// workers busy, and the clock is read once for all of them.
func (c *client) run(ctx context.Context) {
	for range c.ring {
		c.submit(ctx)
	}
	half := max(1, len(c.ring)/2)
	for c.err == nil && !c.look() {
		for i := 0; i < half && c.err == nil; i++ {
			c.wait(ctx, c.next+i)
		}
		for i := 0; i < half && c.err == nil; i++ {
			c.submit(ctx)
		}
	}
	for i := range c.ring {
		if c.err == nil {
			c.wait(ctx, c.next+i)
		}
	}
}

// look reads the clock and says whether the measurement is over: after its span, but
// not before every task in flight at its beginning has been replaced. Results that
// had piled up would otherwise be taken for a rate.
func (c *client) look() bool {
	now := mark{time.Now(), c.sum.done, c.sum.done + c.sum.Failed()}
	if c.first.at.IsZero() {
		if !now.at.Before(c.from) {
			c.first = now
		}
		return false
	}
	c.last = now
	return now.at.Sub(c.first.at) >= c.span && now.ended-c.first.ended >= len(c.ring)
}

func (c *client) submit(ctx context.Context) {
	if c.err != nil {
		return
	}
	c.ring[c.next], c.err = c.rig.s.Submit(ctx, c.rig.task())
	c.next = (c.next + 1) % len(c.ring)
}

func (c *client) wait(ctx context.Context, i int) {
	result, err := c.ring[i%len(c.ring)].Wait(ctx)
	if err != nil {
		c.err = err
		return
	}
	c.sum.add(&result, &c.rig.target)
}

func (c *client) rate() float64 {
	took := c.last.at.Sub(c.first.at).Seconds()
	if took <= 0 {
		return 0
	}
	return float64(c.last.done-c.first.done) / took
}
