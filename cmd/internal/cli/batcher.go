package cli

import (
	"context"
	"sync"

	"google.golang.org/protobuf/proto"
)

// batchBytes bounds a batch in bytes, beside its number of tasks. One task may be larger.
const batchBytes = 4 << 20

// batcher collects entries while the batch before them is on its way: a slow producer sees each task sent
// at once, a fast one sees them sent together. While it is full, add blocks.
type batcher struct {
	most int

	mu      sync.Mutex
	changed *sync.Cond
	entries []entry
	bytes   int
	ended   bool // nothing more is added, or wanted
	release func() bool
}

func newBatcher(ctx context.Context, most int) *batcher {
	b := &batcher{most: most}
	b.changed = sync.NewCond(&b.mu)
	b.release = context.AfterFunc(ctx, b.end)
	return b
}

// add says whether the entry was taken.
func (b *batcher) add(e entry) bool {
	size := 0
	if e.request != nil {
		size = proto.Size(e.request)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.ended && len(b.entries) > 0 && (len(b.entries) >= b.most || b.bytes+size > batchBytes) {
		b.changed.Wait()
	}
	if b.ended {
		return false
	}
	b.entries = append(b.entries, e)
	b.bytes += size
	b.changed.Broadcast()
	return true
}

// take waits for entries and returns all that are there, or none at the end.
func (b *batcher) take() []entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.entries) == 0 && !b.ended {
		b.changed.Wait()
	}
	taken := b.entries
	b.entries, b.bytes = nil, 0
	b.changed.Broadcast()
	return taken
}

// end lets take return what is left, and then nothing.
func (b *batcher) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	b.changed.Broadcast()
}
