package cli

import (
	"errors"
	"io"
	"sync"
	"time"
)

const (
	blockSize = 256 << 10
	// drainPause is how long an interrupted run waits for a producer that has
	// stopped writing. What is already on its way is still taken.
	drainPause = 500 * time.Millisecond
)

// errHalted says that the rest of the input is not wanted.
var errHalted = errors.New("input halted")

// blocks reads a stream ahead by one block in a goroutine of its own, because
// read(2) on a terminal or a pipe cannot be interrupted and the run must be.
// That goroutine is the only one nobody waits for: it may sit in read(2) on a
// descriptor that other programs share, until the process ends.
type blocks struct {
	free, full  chan []byte   // two buffers go round between reader and next
	interrupted chan struct{} // closed: do not wait for a slow producer
	halted      chan struct{} // closed: stop at once
	current     []byte        // owned by next's caller
	err         error         // why full was closed; read after that

	interruptOnce, haltOnce sync.Once
}

func newBlocks(src io.Reader) *blocks {
	b := &blocks{
		free:        make(chan []byte, 2),
		full:        make(chan []byte, 1),
		interrupted: make(chan struct{}),
		halted:      make(chan struct{}),
	}
	b.free <- make([]byte, blockSize)
	b.free <- make([]byte, blockSize)
	go b.read(src)
	return b
}

func (b *blocks) read(src io.Reader) {
	defer close(b.full)
	for {
		var buf []byte
		select {
		case buf = <-b.free:
		case <-b.halted:
			return
		}
		n, err := src.Read(buf[:blockSize])
		if n > 0 {
			select {
			case b.full <- buf[:n]:
			case <-b.halted:
				return
			}
		} else if err == nil {
			b.free <- buf
		}
		if err != nil {
			b.err = err
			return
		}
	}
}

// next returns the next block, which is valid until the call after it. The
// error is io.EOF, errHalted or the stream's own.
func (b *blocks) next() ([]byte, error) {
	if b.current != nil {
		b.free <- b.current
		b.current = nil
	}
	select {
	case buf, ok := <-b.full:
		return b.take(buf, ok)
	case <-b.halted:
		return nil, errHalted
	case <-b.interrupted:
	}
	pause := time.NewTimer(drainPause)
	defer pause.Stop()
	select {
	case buf, ok := <-b.full:
		return b.take(buf, ok)
	case <-b.halted:
	case <-pause.C:
	}
	return nil, errHalted
}

func (b *blocks) take(buf []byte, ok bool) ([]byte, error) {
	if !ok {
		if b.err == nil {
			return nil, errHalted
		}
		return nil, b.err
	}
	b.current = buf
	return buf, nil
}

// interrupt lets next return what is there or soon will be, but not wait longer.
func (b *blocks) interrupt() { b.interruptOnce.Do(func() { close(b.interrupted) }) }

// halt makes next return errHalted.
func (b *blocks) halt() { b.haltOnce.Do(func() { close(b.halted) }) }
