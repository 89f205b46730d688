package memory

type entry[T any] struct {
	key  int64
	item T
}

// ring is a queue of one rank in a circular buffer whose length is a power of two.
type ring[T any] struct {
	rank int
	buf  []entry[T]
	at   int // index of the head
	n    int
}

// A ring that has emptied keeps at most this many places.
const keepPlaces = 4096

func (r *ring[T]) head() *entry[T]       { return r.place(0) }
func (r *ring[T]) place(i int) *entry[T] { return &r.buf[(r.at+i)&(len(r.buf)-1)] }

// insert puts e behind every entry whose key is not larger. New work comes in
// key order and goes to the end at once; work that returns is older than nearly
// all that waits, so its place is looked for from the front.
func (r *ring[T]) insert(e entry[T]) {
	r.grow()
	r.n++
	if r.n == 1 || r.place(r.n-2).key <= e.key {
		*r.place(r.n - 1) = e
		return
	}
	r.at = (r.at - 1) & (len(r.buf) - 1)
	i := 0
	for ; i < r.n-1 && r.place(i+1).key <= e.key; i++ {
		*r.place(i) = *r.place(i + 1)
	}
	*r.place(i) = e
}

func (r *ring[T]) shift() entry[T] {
	e := *r.head()
	*r.head() = entry[T]{} // let go of the item
	r.at = (r.at + 1) & (len(r.buf) - 1)
	r.n--
	if r.n == 0 && len(r.buf) > keepPlaces {
		r.buf, r.at = nil, 0
	}
	return e
}

func (r *ring[T]) filter(keep func(T) bool) {
	n := r.n
	kept := 0
	for i := range n {
		e := *r.place(i)
		*r.place(i) = entry[T]{}
		if keep(e.item) {
			*r.place(kept) = e
			kept++
		}
	}
	r.n = kept
}

func (r *ring[T]) grow() {
	if r.n < len(r.buf) {
		return
	}
	buf := make([]entry[T], max(16, 2*len(r.buf)))
	for i := range r.n {
		buf[i] = *r.place(i)
	}
	r.buf, r.at = buf, 0
}
