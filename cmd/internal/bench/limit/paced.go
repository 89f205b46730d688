package limit

import (
	"bufio"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/brood-run/brood/cmd/internal/bench/pace"
)

// Paced sends payloads to the children in turn, rate of them a second in all, for d, whether
// or not the earlier ones have come back, and returns how long each took.
func (p *Pipes) Paced(ctx context.Context, payload []byte, rate float64, d time.Duration) ([]time.Duration, error) {
	total := max(1, int(rate*d.Seconds()))
	lines := make([]*line, len(p.children))
	var reading sync.WaitGroup
	for i, c := range p.children {
		lines[i] = &line{
			c: c, w: bufio.NewWriterSize(c.in, ioBuffer), r: bufio.NewReaderSize(c.out, ioBuffer),
			due: make(chan time.Time, total),
		}
		reading.Go(func() { lines[i].read() })
	}
	next := uint64(0)
	err := pace.Steady(ctx, rate, total, func(n int, due time.Time) error {
		for range n {
			next++
			if err := lines[next%uint64(len(lines))].send(next, payload, due); err != nil {
				return err
			}
		}
		for _, l := range lines {
			if err := l.w.Flush(); err != nil {
				return err
			}
		}
		return nil
	})
	for _, l := range lines {
		close(l.due)
		if err != nil {
			l.c.in.Close() // not all that is due was sent, and its reader would wait for ever
		}
	}
	reading.Wait()
	var took []time.Duration
	for _, l := range lines {
		took, err = append(took, l.took...), errors.Join(err, l.err)
	}
	return took, err
}

// line is the tasks of one child, each with the moment it was due.
type line struct {
	c       *child
	w       *bufio.Writer
	r       *bufio.Reader
	waiting pending
	due     chan time.Time // has room for all, so that nobody waits for the reader
	took    []time.Duration
	err     error
}

func (l *line) send(id uint64, payload []byte, due time.Time) error {
	l.waiting.put(id, payload)
	l.due <- due
	return send(l.w, id, payload)
}

func (l *line) read() {
	for due := range l.due {
		if _, l.err = l.waiting.receive(l.r); l.err != nil {
			l.c.in.Close() // or its writer might wait for ever
			return
		}
		l.took = append(l.took, time.Since(due))
	}
}
