package worker

import (
	"bytes"
	"io"
	"sync"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/scoreboard"
)

const (
	stdout = 0
	stderr = 1

	// maxPending bounds what waits to be attributed, per stream. It is only reached by
	// a worker whose claims about its own output are wrong.
	maxPending = 256 << 10
	// maxLine is where a line without an end is cut.
	maxLine = 8 << 10
	// quietRead is how much is read at once until a read brings as much, busyRead from
	// then on: most workers of many print little, and a short life should not pay for more.
	quietRead = 2 << 10
	busyRead  = 32 << 10
	// tailWait is how long an answer waits for the output before it.
	tailWait = time.Second
)

// capture reads what a worker prints, cuts it at the borders between tasks, and gives
// whole lines to a transcript.
//
// A worker with one slot and a scoreboard says exactly where in its streams a task
// ended: with each answer that has output (mark), and for the task that runs, on
// the scoreboard. Bytes whose task is not known yet wait. Otherwise lines belong to the
// worker alone.
type capture struct {
	w         *Worker
	board     *scoreboard.Board // nil: inexact
	line      *io.PipeReader    // the first line of stdout, for launch
	handshake *io.PipeWriter    // its other end, the stdout goroutine's

	mu      sync.Mutex
	ready   bool // tasks may come
	exact   bool // the worker keeps the scoreboard
	streams [2]stream
	marks   []mark
	out     transcript
}

// stream is one captured descriptor.
type stream struct {
	buf  []byte // read, not attributed
	base uint64 // position of buf in all that was ever printed
	line []byte // attributed, its line not complete
}

// mark is the end of a task's output.
type mark struct {
	end  [2]uint64
	seq  uint64
	want chan<- string // receives the tail of the task's output; nil if nobody wants it
}

func newCapture(w *Worker) *capture {
	c := &capture{w: w, out: transcript{w: w}}
	c.line, c.handshake = io.Pipe()
	if w.cfg.Slots == 1 {
		c.board = w.pipes.board
	}
	return c
}

// read takes one stream until it ends. It is the goroutine of that stream.
func (c *capture) read(s int, from *tailReader) {
	buf := make([]byte, quietRead)
	first := s == stdout
	for {
		n, err := from.Read(buf)
		if err != nil {
			break
		}
		got := buf[:n]
		if first {
			got, first = c.firstLine(got)
		}
		c.add(s, got, n-len(got))
		if n == len(buf) && n < busyRead {
			buf = make([]byte, busyRead)
		}
	}
	if first {
		_ = c.handshake.Close() // there will be no line; Close of a pipe's end cannot fail
	}
}

// firstLine passes the handshake line on and returns what follows it. more says that
// the line has not ended.
func (c *capture) firstLine(b []byte) (rest []byte, more bool) {
	c.mu.Lock()
	c.out.first = append(c.out.first, b[:min(len(b), maxLine)]...)
	c.mu.Unlock()
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		i = len(b) - 1
	}
	// Nobody listens any more after a start timeout; that is no reason to stop reading.
	_, _ = c.handshake.Write(b[:i+1])
	if b[i] != '\n' && len(c.out.first) < maxLine {
		return nil, true
	}
	_ = c.handshake.Close()
	return b[i+1:], false
}

// add takes bytes of a stream; skipped were read before them and belong to nobody.
func (c *capture) add(s int, b []byte, skipped int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	st := &c.streams[s]
	if skipped > 0 {
		st.base += uint64(skipped)
	}
	st.buf = append(st.buf, b...)
	c.advance()
}

// mark notes where a task's output ends. It returns a channel that receives the tail of
// it, if wanted, as soon as the bytes are here.
func (c *capture) mark(seq uint64, stdoutEnd, stderrEnd uint64, wanted bool) <-chan string {
	var want chan string
	if wanted {
		want = make(chan string, 1)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.marks = append(c.marks, mark{end: [2]uint64{stdoutEnd, stderrEnd}, seq: seq, want: want})
	c.out.name(seq)
	c.advance()
	return want
}

// advance attributes what can be attributed.
func (c *capture) advance() {
	if !c.exact {
		c.flushTo(c.guess())
		return
	}
	for len(c.marks) > 0 {
		m := &c.marks[0]
		complete := true
		for s := range c.streams {
			st := &c.streams[s]
			if st.base < m.end[s] {
				c.emit(m.seq, s, int(min(m.end[s]-st.base, uint64(len(st.buf)))))
				complete = complete && st.base >= m.end[s]
			}
		}
		if !complete {
			if c.pending() > maxPending {
				c.closeMark() // it claims more than was ever printed
				continue
			}
			return
		}
		c.closeMark()
	}
	if c.pending() == 0 {
		return
	}
	// Read after the bytes: what came at or after the start of the task that
	// still runs now can only be its own.
	seq, out, err, _, ok := c.board.Current()
	begins := [2]uint64{out, err}
	for s := range c.streams {
		st := &c.streams[s]
		switch {
		case ok && begins[s] <= st.base:
			c.emit(seq, s, len(st.buf))
		case len(st.buf) > maxPending:
			c.emit(0, s, len(st.buf))
		}
	}
}

// guess is the task that lines most likely belong to when the worker does not say.
func (c *capture) guess() uint64 {
	if c.w.cfg.Slots > 1 || !c.ready {
		return 0
	}
	return c.w.tasks.Running()
}

// agree starts attribution: the worker is ready, and keeps the scoreboard or does not.
func (c *capture) agree(r *ipc.Ready) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready = true
	c.exact = r.Scoreboard && c.board != nil
	if c.exact && r.StdoutStart+r.StderrStart > 0 {
		c.marks = append(c.marks, mark{end: [2]uint64{r.StdoutStart, r.StderrStart}})
		c.advance()
	}
}

// endOf returns the tail of an answered task of a worker that is not exact.
func (c *capture) endOf(seq uint64) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLines(seq)
	return c.out.end(seq)
}

func (c *capture) pending() int { return len(c.streams[stdout].buf) + len(c.streams[stderr].buf) }

func (c *capture) closeMark() {
	m := c.marks[0]
	c.marks = c.marks[1:]
	c.endLines(m.seq)
	tail := c.out.end(m.seq)
	if m.want != nil {
		m.want <- tail
	}
}

// flushTo attributes everything that waits to one task, 0 for none.
func (c *capture) flushTo(seq uint64) {
	for s := range c.streams {
		c.emit(seq, s, len(c.streams[s].buf))
	}
}

// emit gives the first n waiting bytes of a stream to a task.
func (c *capture) emit(seq uint64, s, n int) {
	st := &c.streams[s]
	b := st.buf[:n]
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		end := i >= 0
		if !end {
			i = len(b)
		}
		if room := maxLine - len(st.line); i > room {
			i, end = room, true
			st.line = append(st.line, b[:i]...)
			b = b[i:]
		} else {
			st.line = append(st.line, b[:i]...)
			b = b[min(i+1, len(b)):]
		}
		if end {
			c.out.add(seq, s, st.line)
			st.line = st.line[:0]
		}
	}
	st.base += uint64(n)
	if n == len(st.buf) {
		st.buf = st.buf[:0]
	} else {
		st.buf = append(st.buf[:0], st.buf[n:]...)
	}
}

func (c *capture) endLines(seq uint64) {
	for s := range c.streams {
		if st := &c.streams[s]; len(st.line) > 0 {
			c.out.add(seq, s, st.line)
			st.line = st.line[:0]
		}
	}
}

// finish attributes the rest when the worker is dead and its streams are read to their end.
func (c *capture) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance()
	for len(c.marks) > 0 {
		c.closeMark()
	}
	last := c.guess()
	if c.exact {
		last = c.board.Started()
	}
	c.flushTo(last)
	c.endLines(last)
	c.out.close(last)
}
