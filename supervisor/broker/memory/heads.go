package memory

import "slices"

// heads shows the first item of each rank that is still wanted, and drops those before it.
func (q *Queue[T]) heads(wanted func(T) bool, show func(T)) {
	q.ranks = slices.DeleteFunc(q.ranks, func(r *ring[T]) bool {
		for r.n > 0 && !wanted(r.head().item) {
			r.shift()
			q.n--
		}
		if r.n == 0 {
			return true
		}
		show(r.head().item)
		return false
	})
}
