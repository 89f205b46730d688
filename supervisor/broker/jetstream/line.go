package jetstream

import (
	"context"
	"errors"
	"sync"
)

// line says whether answers can still come: those to what was sent on a connection that is lost never do.
type line struct {
	mu  sync.Mutex
	up  context.Context // ends when the connection is lost that there is now, or the next one if there is none
	cut context.CancelFunc
}

func newLine() *line {
	l := &line{}
	l.up, l.cut = context.WithCancel(context.Background())
	return l
}

// now is to be asked for before anything is sent.
func (l *line) now() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up
}

// broken tells all who wait for an answer.
func (l *line) broken() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut()
	l.up, l.cut = context.WithCancel(context.Background())
}

// What there is to say of a connection that is not there.
var (
	errBroken = errors.New("the connection was lost before there was an answer")
	errAway   = errors.New("there is no connection")
)
