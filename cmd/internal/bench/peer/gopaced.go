package peer

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/brood-run/brood/cmd/internal/bench/pace"
)

// Paced sends payloads over one stream for each child in turn, rate of them a second in
// all, for d, whether or not the earlier ones have come back, and returns how long each took.
func (g *GoPlugin) Paced(ctx context.Context, payload []byte, rate float64, d time.Duration) ([]time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	total := max(1, int(rate*d.Seconds()))
	lines := make([]*line, len(g.conns))
	for i, c := range g.conns {
		s, err := open(ctx, c)
		if err != nil {
			return nil, err
		}
		lines[i] = &line{stream: s, due: make(chan time.Time, total)}
	}
	var reading sync.WaitGroup
	for _, l := range lines {
		reading.Go(func() { l.read(payload) })
	}
	next := 0
	err := pace.Steady(ctx, rate, total, func(n int, due time.Time) error {
		for range n {
			l := lines[next%len(lines)]
			next++
			if err := l.stream.SendMsg(&message{Value: payload}); err != nil {
				return err
			}
			l.due <- due
		}
		return nil
	})
	for _, l := range lines {
		close(l.due)
	}
	reading.Wait()
	var took []time.Duration
	for _, l := range lines {
		took, err = append(took, l.took...), errors.Join(err, l.err)
	}
	return took, err
}

// line is the payloads of one stream, each with the moment it was due.
type line struct {
	stream grpc.ClientStream
	due    chan time.Time // has room for all, so that nobody waits for the reader
	took   []time.Duration
	err    error
}

func (l *line) read(payload []byte) {
	for due := range l.due {
		if l.err = receive(l.stream, payload); l.err != nil {
			return
		}
		l.took = append(l.took, time.Since(due))
	}
}
