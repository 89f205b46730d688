package cli

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// awaited are the ids of tasks that are waited for. Some are with a call that waits for them, the
// others in line for the next one. While there are as many as may be, add blocks.
type awaited struct {
	most int

	mu      sync.Mutex
	changed *sync.Cond
	line    []string
	open    map[string]bool // without a result
	ended   bool            // no more are added
	over    bool            // nobody waits any more
	release func() bool
}

func newAwaited(ctx context.Context, most int) *awaited {
	a := &awaited{most: most, open: map[string]bool{}}
	a.changed = sync.NewCond(&a.mu)
	a.release = context.AfterFunc(ctx, a.abandon)
	return a
}

// add is false when nobody waits any more.
func (a *awaited) add(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.open) >= a.most && !a.over {
		a.changed.Wait()
	}
	if a.over {
		return false
	}
	if !a.open[id] {
		a.open[id] = true
		a.line = append(a.line, id)
		a.changed.Broadcast()
	}
	return true
}

// take waits for ids in line and takes up to n of them; none at the end, when all have their results.
func (a *awaited) take(n int) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.line) == 0 && !a.over && !(a.ended && len(a.open) == 0) {
		a.changed.Wait()
	}
	if a.over {
		return nil
	}
	n = min(n, len(a.line))
	taken := slices.Clone(a.line[:n])
	a.line = slices.Delete(a.line, 0, n)
	return taken
}

// waiting says whether there are ids that no call waits for.
func (a *awaited) waiting() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.line) > 0
}

// putBack puts those ids that have no result yet at the end of the line.
func (a *awaited) putBack(ids []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range ids {
		if a.open[id] {
			a.line = append(a.line, id)
		}
	}
	a.changed.Broadcast()
}

// done notes that there is a result.
func (a *awaited) done(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.open, id)
	a.changed.Broadcast()
}

// end says that no more are added.
func (a *awaited) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	a.changed.Broadcast()
}

// abandon ends all waiting.
func (a *awaited) abandon() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	a.changed.Broadcast()
}

// left are the ids without a result.
func (a *awaited) left() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Sorted(maps.Keys(a.open))
}
