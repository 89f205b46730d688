package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

const (
	firstPause   = 50 * time.Millisecond
	longestPause = 5 * time.Second
)

// patience decides whether a call that failed is repeated, and waits before it is. Not safe for
// concurrent use.
type patience struct {
	limit time.Duration // how long the server may be away or full
	since time.Time     // of the first failure in a row
	row   int           // failures in a row
}

// success ends a row of failures.
func (p *patience) success() { p.row = 0 }

// again waits and returns nil if the call that failed should be repeated, else the error to give
// up with. A server that has never answered is not waited for: most likely none was started.
func (p *patience) again(ctx context.Context, err error) error {
	var f *Failure
	if !errors.As(err, &f) {
		return err
	}
	if f.Reason != Busy && f.Reason != Lost {
		return err
	}
	if p.row == 0 {
		p.since = time.Now()
	}
	if time.Since(p.since) >= p.limit {
		return err
	}
	pause := p.pause(f.RetryAfter)
	p.row++
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pause doubles with each failure and is shorter by up to a half at random, so that many clients do not
// come back together. A server that says when to come back is taken at its word.
func (p *patience) pause(wish time.Duration) time.Duration {
	pause := min(firstPause<<min(p.row, 10), longestPause)
	pause -= rand.N(pause / 2)
	return max(pause, min(wish, p.limit))
}
