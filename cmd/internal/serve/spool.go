package serve

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

const (
	// spoolSize bounds what waits for a reader of the log, in bytes.
	spoolSize = 1 << 20
	// spoolPatience is how long Close waits for that reader.
	spoolPatience = time.Second
)

// Spool writes a log from a goroutine of its own, so that nobody who logs waits for whoever reads
// it: a stalled terminal or log shipper must not stop the tasks. What does not fit is lost, and counted
// in the log. Create it with NewSpool.
type Spool struct {
	to   io.Writer
	wake chan struct{} // to the writer: look; capacity 1
	done chan struct{} // closed when the writer has ended

	mu     sync.Mutex
	buffer []byte
	lost   int // writes since the last one that fitted
	closed bool
	json   bool // each line is an object
}

// NewSpool returns a Spool; Close it.
func NewSpool(to io.Writer) *Spool {
	s := &Spool{to: to, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go s.write()
	return s
}

// JSON has the Spool's own messages be objects, as the lines of a log in JSON are.
func (s *Spool) JSON() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.json = true
}

// Write takes all of p or none. It never blocks and never fails.
func (s *Spool) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.buffer)+len(p) > spoolSize || s.closed {
		s.lost++
		return len(p), nil
	}
	if s.lost > 0 {
		s.confess()
		s.lost = 0
	}
	s.buffer = append(s.buffer, p...)
	s.poke()
	return len(p), nil
}

// confess says how much was lost. Requires mu.
func (s *Spool) confess() {
	if !s.json {
		s.buffer = fmt.Appendf(s.buffer, "brood: %d lines of the log were lost: nobody read them in time\n", s.lost)
		return
	}
	own := hclog.New(&hclog.LoggerOptions{Name: "brood", JSONFormat: true, Output: (*appending)(&s.buffer)})
	own.Warn("lines of the log were lost: nobody read them in time", "lines", s.lost)
}

// appending is a writer to a buffer.
type appending []byte

func (a *appending) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}

func (s *Spool) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// write is the writer.
func (s *Spool) write() {
	defer close(s.done)
	var out []byte
	for range s.wake {
		s.mu.Lock()
		out, s.buffer = s.buffer, out[:0]
		closed := s.closed
		s.mu.Unlock()
		_, _ = s.to.Write(out) // there is nowhere to say that it failed
		if closed {
			return
		}
	}
}

// Close waits until all has been written, a second at most: then the writer is left behind.
func (s *Spool) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.poke()
	late := time.NewTimer(spoolPatience)
	defer late.Stop()
	select {
	case <-s.done:
	case <-late.C:
	}
}
