package httpapi

import (
	"time"

	"golang.org/x/sync/semaphore"
)

// places is a number of things that may be open at the same time.
type places struct {
	what string
	n    int
	free *semaphore.Weighted
}

func newPlaces(what string, n int) *places {
	return &places{what: what, n: n, free: semaphore.NewWeighted(int64(n))}
}

// enter takes n places, which leave gives back. It does not wait for them.
func (p *places) enter(n int) (leave func(), err error) {
	if !p.free.TryAcquire(int64(n)) {
		return nil, exhausted(5*time.Second, "%s: this server's limit of %d is reached", p.what, p.n)
	}
	return func() { p.free.Release(int64(n)) }, nil
}
