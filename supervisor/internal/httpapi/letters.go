package httpapi

import (
	"context"

	"github.com/brood-run/brood/supervisor/broker"
)

// readBytes is how much of dead letters is read at once as long as they are as large as those before, in
// bytes: a broker reads them with their payloads.
const readBytes = 16 << 20

// letters reads dead letters, few at a time if they are large.
type letters struct {
	from        broker.DeadLetters
	pool, after string
	ended       bool // there are no more
	step        int  // how many are read next
}

func (d deadLetters) list(pool, after string) *letters {
	return &letters{from: d.cfg.Broker, pool: pool, after: after, step: 1}
}

// more reads the next letters, at most n.
func (l *letters) more(ctx context.Context, n int) ([]broker.DeadLetter, error) {
	read, next, err := l.from.Dead(ctx, l.pool, l.after, min(l.step, n))
	if err != nil {
		return nil, err
	}
	l.after, l.ended = next, next == ""
	size := 1
	for i := range read {
		size += sizeOf(&read[i])
	}
	l.step = max(1, min(8*l.step, len(read)*readBytes/size, maxPage))
	return read, nil
}

// sizeOf is about what a letter takes, in bytes.
func sizeOf(l *broker.DeadLetter) int {
	size := len(l.Message.Task.Payload) + len(l.Result.Payload)
	for i := range l.Result.Attempts {
		a := &l.Result.Attempts[i]
		size += len(a.Message) + len(a.OutputTail) + len(a.Stack)
	}
	return size
}
