package dispatch

import (
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/internal/policy"
)

// A worker that wakes up already is left to do a moment's work alone; what is more than that
// wakes others.
func TestShortTasksDoNotWakeEverybody(t *testing.T) {
	for _, c := range []struct {
		run   time.Duration // of a task
		tasks int
		woken int
	}{
		{time.Microsecond, 50, 1},
		{time.Microsecond, 150, 4}, // at least two; each further task may wake one more
		{50 * time.Microsecond, 2, 1},
		{50 * time.Microsecond, 10, 4},
		{10 * time.Millisecond, 4, 4},
	} {
		cfg := settings()
		cfg.Workers = 4
		bubble(t, cfg, func(t *testing.T, r *rig) {
			for range 4 {
				p := r.warm()
				p.lane.window = policy.Window{Min: 1, Max: 256}
				p.lane.window.Observe(c.run, 1)
				p.take() // finds nothing: it is idle now
			}
			r.submitMany(c.tasks)
			woken := 0
			for _, p := range r.puppets {
				p.mu.Lock()
				if p.woken {
					woken++
				}
				p.mu.Unlock()
			}
			if woken != c.woken {
				t.Errorf("%d tasks of %v woke %d workers, want %d", c.tasks, c.run, woken, c.woken)
			}
			for done := 0; done < c.tasks; {
				for _, p := range r.puppets {
					ids := p.take()
					p.complete(ids...)
					done += len(ids)
				}
			}
		})
	}
}
