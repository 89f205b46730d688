package limit

import (
	"bufio"
	"errors"
	"sync"
	"time"
)

// loop keeps a window of tasks on their way through one child, as one would write
// it by hand: a goroutine that encodes tasks and writes as many at once as it has credit
// for, one that reads answers, finds their tasks and hands back credit for all that had
// arrived together.
type loop struct {
	c       *child
	payload []byte
	window  int
	waiting pending
	answer  []byte // the latest
	credit  chan int
	from    time.Time
	span    time.Duration

	sent        int // tasks the writer was told to send; the reader's
	back        int // tasks that have come back
	first, last mark
	ended       bool // last is final
	err         error
}

// mark is a moment and how many tasks were back by then.
type mark struct {
	at   time.Time
	back int
}

func newLoop(c *child, payload []byte, window int, from time.Time, span time.Duration) *loop {
	l := &loop{c: c, payload: payload, window: window, sent: window, from: from, span: span}
	// Never more credit than the window, so the reader never waits for the writer.
	l.credit = make(chan int, window)
	l.credit <- window
	return l
}

func (l *loop) run() {
	var writing sync.WaitGroup
	var wrote error
	writing.Go(func() { wrote = l.write() })
	if l.err = l.read(); l.err != nil {
		l.c.in.Close() // or the writer might wait for ever
	}
	close(l.credit)
	writing.Wait()
	l.err = errors.Join(l.err, wrote)
}

func (l *loop) write() error {
	w := bufio.NewWriterSize(l.c.in, ioBuffer)
	id := uint64(0)
	for n := range l.credit {
		for range n {
			id++
			l.waiting.put(id, l.payload)
			if err := send(w, id, l.payload); err != nil {
				return err
			}
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func send(w *bufio.Writer, id uint64, payload []byte) error {
	if _, err := w.Write(appendHead(w.AvailableBuffer(), id, len(payload))); err != nil {
		return err
	}
	_, err := w.Write(payload)
	return err
}

// read ends when the time is over and every task is back.
func (l *loop) read() error {
	r := bufio.NewReaderSize(l.c.out, ioBuffer)
	batch := 0
	var err error
	for l.back < l.sent {
		if l.answer, err = l.waiting.receive(r); err != nil {
			return err
		}
		l.back++
		batch++
		if r.Buffered() >= headSize+len(l.payload) {
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
// not before every task on its way at the beginning has been replaced.
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
