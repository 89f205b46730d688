package scoreboard

// OutboxSize is how many bytes of results a worker may hold back.
const OutboxSize = 32 << 10

// The outbox begins on the page after the words.
const (
	offOutboxBase = 192 // position of its first byte; worker-written
	offOutboxEnd  = 200 // position behind its last byte; worker-written
	offOutbox     = Size
	mapped        = Size + OutboxSize
)

// Outbox is where a worker keeps results that it has not written yet. The supervisor can
// read them there even after the worker was killed, so that a worker need not pay
// for a system call after each task.
//
// Positions count the bytes that the worker has put on its response stream or in here. What
// was written stays readable until something new takes its place. Not safe for concurrent
// use. Worker only.
type Outbox struct {
	board     *Board
	from, end uint64 // positions of what is held
}

// Outbox returns the worker's view of it. Written is how many bytes the worker has written
// to the stream so far.
func (b *Board) Outbox(written uint64) *Outbox {
	o := &Outbox{board: b, from: written, end: written}
	b.at(offOutboxBase).Store(o.from)
	b.at(offOutboxEnd).Store(o.end)
	return o
}

// Held returns the bytes to write next.
func (o *Outbox) Held() []byte { return o.board.page[offOutbox : offOutbox+o.end-o.from] }

// Free returns room for more, to append to.
func (o *Outbox) Free() []byte {
	if o.from == o.end {
		// What lies here is on the stream and may go.
		o.board.at(offOutboxBase).Store(o.from)
	}
	at := offOutbox + o.end - o.from
	return o.board.page[at:at:mapped]
}

// Add takes n bytes that were put into Free: from now on they survive the worker.
func (o *Outbox) Add(n int) {
	o.end += uint64(n)
	o.board.at(offOutboxEnd).Store(o.end)
}

// Written empties the outbox: all it held is on the stream.
func (o *Outbox) Written() { o.from = o.end }

// Passed counts n bytes that were written past the outbox, which was empty.
func (o *Outbox) Passed(n int) {
	// In this order: whatever instant the worker is killed at, the outbox is
	// empty or holds what the stream lacks.
	o.from += uint64(n)
	o.board.at(offOutboxBase).Store(o.from)
	o.end = o.from
	o.board.at(offOutboxEnd).Store(o.end)
}

// Leftover returns a copy of what a dead worker had put into its outbox from a position on:
// the one up to which its response stream was understood. Supervisor only.
func (b *Board) Leftover(position uint64) []byte {
	base, end := b.at(offOutboxBase).Load(), b.at(offOutboxEnd).Load()
	if position < base || position >= end || end-base > OutboxSize {
		return nil
	}
	return append([]byte(nil), b.page[offOutbox+position-base:offOutbox+end-base]...)
}
