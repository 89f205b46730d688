package memory

import "slices"

// Queue orders items by a key, smallest first, where items of the same rank (a
// priority) nearly always arrive in key order. Each rank is a ring of its own, so
// that pushing and popping cost no comparison but one per rank in use.
//
// The zero Queue is ready to use. Not safe for concurrent use.
type Queue[T any] struct {
	ranks []*ring[T] // those that hold items, in no order
	spare *ring[T]   // the last one emptied, kept to be used again
	n     int
}

// Len is the number of items.
func (q *Queue[T]) Len() int { return q.n }

// Push adds an item. Items of one rank with the same key leave in the order they came.
func (q *Queue[T]) Push(rank int, key int64, item T) {
	r := q.rank(rank)
	r.insert(entry[T]{key, item})
	q.n++
}

// Pop removes the item with the smallest key; among equal keys of different ranks
// the higher rank goes first. ok is false if there is none.
func (q *Queue[T]) Pop() (item T, ok bool) {
	if q.n == 0 {
		return item, false
	}
	best := 0
	for i := 1; i < len(q.ranks); i++ {
		a, b := q.ranks[i].head(), q.ranks[best].head()
		if a.key < b.key || a.key == b.key && q.ranks[i].rank > q.ranks[best].rank {
			best = i
		}
	}
	r := q.ranks[best]
	item = r.shift().item
	q.n--
	if r.n == 0 {
		q.ranks = slices.Delete(q.ranks, best, best+1)
		q.spare = r
	}
	return item, true
}

// Filter keeps the items for which keep is true, in their order.
func (q *Queue[T]) Filter(keep func(T) bool) {
	q.n = 0
	q.ranks = slices.DeleteFunc(q.ranks, func(r *ring[T]) bool {
		r.filter(keep)
		q.n += r.n
		return r.n == 0
	})
}

func (q *Queue[T]) rank(rank int) *ring[T] {
	for _, r := range q.ranks {
		if r.rank == rank {
			return r
		}
	}
	r := q.spare
	q.spare = nil
	if r == nil {
		r = &ring[T]{}
	}
	r.rank = rank
	q.ranks = append(q.ranks, r)
	return r
}
