package cli

import (
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	sinkFull  = 256 << 10
	sinkDelay = time.Millisecond
)

// sink writes lines to a file from a goroutine of its own. Lines leave within
// sinkDelay, or sooner when many have come together: a consumer sees results at
// once, and a flood of them costs few system calls. While the file is slow, add
// blocks; once it has failed, add drops.
type sink struct {
	name string // for errors
	file io.WriteCloser

	mu   sync.Mutex
	room *sync.Cond // buf was taken
	buf  []byte     // added and not yet being written
	err  error

	dirty, full chan struct{} // wake the writer; at most one signal waits in each
	closing     chan struct{} // closed by close
	failed      chan struct{} // closed when err is set
	done        chan struct{} // closed when the writer has ended
}

func newSink(name string, file io.WriteCloser) *sink {
	s := &sink{
		name: name, file: file,
		dirty: make(chan struct{}, 1), full: make(chan struct{}, 1),
		closing: make(chan struct{}), failed: make(chan struct{}), done: make(chan struct{}),
	}
	s.room = sync.NewCond(&s.mu)
	go s.write()
	return s
}

// add queues what appendLine appends to a buffer.
func (s *sink) add(appendLine func(dst []byte) []byte) {
	s.mu.Lock()
	for len(s.buf) >= sinkFull && s.err == nil {
		s.room.Wait()
	}
	if s.err != nil {
		s.mu.Unlock()
		return
	}
	first := len(s.buf) == 0
	s.buf = appendLine(s.buf)
	full := len(s.buf) >= sinkFull
	s.mu.Unlock()
	if first {
		wake(s.dirty)
	}
	if full {
		wake(s.full)
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (s *sink) write() {
	defer close(s.done)
	delay := time.NewTimer(sinkDelay)
	defer delay.Stop()
	var spare []byte
	for closing := false; !closing; {
		select {
		case <-s.dirty:
			delay.Reset(sinkDelay)
			select {
			case <-delay.C:
			case <-s.full:
			case <-s.closing:
			}
		case <-s.closing:
			closing = true
		}
		spare = s.flush(spare)
	}
}

// flush writes what is there. spare is an empty buffer to put in its place.
func (s *sink) flush(spare []byte) []byte {
	s.mu.Lock()
	out := s.buf
	s.buf = spare[:0]
	broken := s.err != nil
	s.room.Broadcast()
	s.mu.Unlock()
	if len(out) > 0 && !broken {
		if _, err := s.file.Write(out); err != nil {
			s.fail(err)
		}
	}
	if cap(out) > 8*sinkFull {
		return nil // one huge result must not pin its memory for ever
	}
	return out
}

func (s *sink) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	s.err = fmt.Errorf("%s: %w", s.name, err)
	close(s.failed)
}

// close writes what is left, closes the file and returns the first error. The
// caller adds no more.
func (s *sink) close() error {
	close(s.closing)
	<-s.done
	if err := s.file.Close(); err != nil {
		s.fail(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
