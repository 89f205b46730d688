package limit

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"sync"
	"time"
)

// loop keeps a window of frames on their way through one child.
type loop struct {
	c      *child
	frame  []byte
	slab   []byte // the frame over and over, to write many with one call
	credit chan int
	sent   int // frames the writer was told to send; the reader's
	window int
	from   time.Time
	span   time.Duration

	back        int // frames that have come back
	first, last mark
	ended       bool // last is final
	err         error
}

// mark is a moment and how many frames were back by then.
type mark struct {
	at   time.Time
	back int
}

// mostAtOnce bounds one write of several frames, in bytes.
const mostAtOnce = 256 << 10

func newLoop(c *child, frame []byte, window int, from time.Time, span time.Duration) *loop {
	l := &loop{c: c, frame: frame, from: from, span: span, window: window, sent: window}
	l.slab = bytes.Repeat(frame, max(1, min(window, mostAtOnce/len(frame))))
	// Never more credit than the window, so the reader never waits for the writer.
	l.credit = make(chan int, window)
	l.credit <- window
	return l
}

func (l *loop) run() {
	var writing sync.WaitGroup
	var wrote error
	writing.Go(func() { wrote = l.write() })
	l.err = l.read()
	close(l.credit)
	writing.Wait()
	l.err = errors.Join(l.err, wrote)
}

// write sends as many frames as there is credit for, all it can at once.
func (l *loop) write() error {
	for n := range l.credit {
		for n > 0 {
			now := min(n, len(l.slab)/len(l.frame))
			if _, err := l.c.in.Write(l.slab[:now*len(l.frame)]); err != nil {
				return err
			}
			n -= now
		}
	}
	return nil
}

// read takes frames and hands back credit for all that had arrived together, until the
// time is over and every frame is back.
func (l *loop) read() error {
	r := bufio.NewReaderSize(l.c.out, 64<<10)
	reply := make([]byte, len(l.frame))
	batch := 0
	for l.back < l.sent {
		if _, err := io.ReadFull(r, reply); err != nil {
			return err
		}
		if !bytes.Equal(reply, l.frame) {
			return errWrong
		}
		l.back++
		batch++
		if r.Buffered() >= len(l.frame) {
			continue
		}
		if !l.over() {
			l.sent += batch
			l.credit <- batch
		}
		batch = 0
	}
	return nil
}

// over reads the clock and says whether the measurement has ended: after its span, but
// not before every frame on its way at the beginning has been replaced.
func (l *loop) over() bool {
	now := mark{time.Now(), l.back}
	if l.first.at.IsZero() {
		if !now.at.Before(l.from) {
			l.first = now
		}
		return false
	}
	if !l.ended {
		l.last = now
		l.ended = now.at.Sub(l.first.at) >= l.span && now.back-l.first.back >= l.window
	}
	return l.ended
}

func (l *loop) rate() float64 {
	took := l.last.at.Sub(l.first.at).Seconds()
	if took <= 0 {
		return 0
	}
	return float64(l.last.back-l.first.back) / took
}
