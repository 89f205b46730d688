package conn

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/scoreboard"
	"github.com/brood-run/brood/ipc/wire"
)

const (
	// joinLimit is the largest payload copied behind its head to save a write.
	joinLimit = 64 << 10
	// keepWrite is the largest encoding buffer kept between frames.
	keepWrite = 256 << 10
	// holdLimit is the largest result frame that may be held back, flushAt how much at
	// once, and holdTime for how long. flushAt leaves room for one more in the outbox.
	holdLimit = 4 << 10
	flushAt   = 6 << 10
	holdTime  = 200 * time.Microsecond
	// maxText bounds the free text of a control frame.
	maxText = 4 << 10
)

// serverWriter puts frames on the stream, each whole before the next. After an
// error nothing more is written: half a frame may be out.
//
// With an outbox, small results are held back in memory that the supervisor shares until a
// write is worth its price: when no task waits, when flushAt bytes are held, or after
// holdTime, whatever comes first.
type serverWriter struct {
	mu   sync.Mutex
	w    io.Writer
	buf  []byte
	err  error
	sent uint64 // bytes on the stream

	box   *scoreboard.Outbox // nil: every result is written at once
	late  *time.Timer        // flushes what was held back for holdTime
	armed atomic.Bool        // late will fire; set with mu held
}

// hold lets results wait in the board's outbox.
func (o *serverWriter) hold(board *scoreboard.Board, fail func(error)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.box = board.Outbox(o.sent)
	o.late = time.AfterFunc(time.Hour, func() {
		o.mu.Lock()
		o.armed.Store(false)
		err := o.flushed()
		o.mu.Unlock()
		if err != nil {
			fail(err)
		}
	})
	o.late.Stop()
}

// release lets go of the board.
func (o *serverWriter) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.box != nil {
		o.late.Stop()
		o.box = nil
	}
}

// frame writes what encode appends, which may be nothing. Encoding happens inside
// the critical section, so what it says is still true when it is on the stream.
func (o *serverWriter) frame(encode func(dst []byte) []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.flushed(); err != nil {
		return err
	}
	o.buf = encode(o.buf[:0])
	return o.write(o.buf)
}

func (o *serverWriter) control(t ipc.Type, flags uint8, id uint64, body any) error {
	return o.frame(func(dst []byte) []byte { return wire.AppendControl(dst, t, flags, id, body) })
}

// result ends the job and answers it: on the stream, or in the outbox. It says whether it
// has written, which may take its time.
func (o *serverWriter) result(j *Job, res *wire.Result) (wrote bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	j.end()
	if n := wire.HeaderSize + wire.ResultSize(res); o.box != nil && n <= holdLimit {
		return o.held(res, n)
	}
	if err := o.flushed(); err != nil {
		return true, err
	}
	if len(res.Payload) <= joinLimit {
		o.buf = wire.AppendResult(o.buf[:0], res)
		return true, o.write(o.buf)
	}
	o.buf = wire.AppendResultHead(o.buf[:0], res)
	if err := o.write(o.buf); err != nil {
		return true, err
	}
	return true, o.write(res.Payload)
}

// held puts a frame of n bytes into the outbox.
func (o *serverWriter) held(res *wire.Result, n int) (wrote bool, err error) {
	wire.AppendResult(o.box.Free(), res)
	o.box.Add(n)
	if len(o.box.Held()) >= flushAt {
		return true, o.flushed()
	}
	return false, nil
}

// hurry bounds the time for which results are held back: another handler is about to run,
// nobody knows for how long.
func (o *serverWriter) hurry() {
	if o.armed.Load() {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.box != nil && !o.armed.Load() && len(o.box.Held()) > 0 {
		o.armed.Store(true)
		o.late.Reset(holdTime)
	}
}

// flush writes what is held back.
func (o *serverWriter) flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.flushed()
}

func (o *serverWriter) flushed() error {
	if o.box == nil || o.err != nil {
		return o.err
	}
	held := o.box.Held()
	if len(held) == 0 {
		return nil
	}
	n, err := o.w.Write(held)
	o.sent += uint64(n)
	o.err = err
	if err == nil {
		o.box.Written()
	}
	return err
}

// write puts bytes on the stream past the outbox, which is empty.
func (o *serverWriter) write(b []byte) error {
	if o.err != nil || len(b) == 0 {
		return o.err
	}
	if cap(o.buf) > keepWrite {
		o.buf = nil
	}
	n, err := o.w.Write(b)
	o.sent += uint64(n)
	o.err = err
	if o.box != nil {
		o.box.Passed(n)
	}
	return err
}

// clip shortens a text to what a control frame may carry.
func clip(s string) string { return s[:min(len(s), maxText)] }
