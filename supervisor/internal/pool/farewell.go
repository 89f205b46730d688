package pool

import (
	"slices"

	"github.com/brood-run/brood/supervisor/internal/worker"
)

// farewell is the workers of former settings that finish what they have. The loop owns it.
type farewell struct {
	left map[*worker.Worker]bool
	over chan struct{} // closed when they are off the books
}

// bid returns what is closed when these workers are off the books.
func (p *Pool) bid(old map[*worker.Worker]bool) <-chan struct{} {
	f := farewell{old, make(chan struct{})}
	p.farewells = append(p.farewells, f)
	p.gone(nil)
	return f.over
}

// gone takes a worker out of all farewells.
func (p *Pool) gone(w *worker.Worker) {
	p.farewells = slices.DeleteFunc(p.farewells, func(f farewell) bool {
		delete(f.left, w)
		if len(f.left) > 0 {
			return false
		}
		close(f.over)
		return true
	})
}
