package conn

import (
	"io"
	"sync"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

const (
	// joinLimit is the largest payload copied behind its head to save a write.
	joinLimit = 64 << 10
	// keepWrite is the largest encoding buffer kept between frames.
	keepWrite = 256 << 10
	// maxText bounds the free text of a control frame.
	maxText = 4 << 10
)

// serverWriter puts frames on the stream, each whole before the next. After an
// error nothing more is written: half a frame may be out.
type serverWriter struct {
	mu  sync.Mutex
	w   io.Writer
	buf []byte
	err error
}

// frame writes what encode appends, which may be nothing. Encoding happens inside
// the critical section, so what it says is still true when it is on the stream.
func (o *serverWriter) frame(encode func(dst []byte) []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf = encode(o.buf[:0])
	return o.write(o.buf)
}

func (o *serverWriter) control(t ipc.Type, flags uint8, id uint64, body any) error {
	return o.frame(func(dst []byte) []byte { return wire.AppendControl(dst, t, flags, id, body) })
}

// result ends the job and writes its answer.
func (o *serverWriter) result(j *Job, res *wire.Result) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	j.end()
	if len(res.Payload) <= joinLimit {
		o.buf = wire.AppendResult(o.buf[:0], res)
		return o.write(o.buf)
	}
	o.buf = wire.AppendResultHead(o.buf[:0], res)
	if err := o.write(o.buf); err != nil {
		return err
	}
	return o.write(res.Payload)
}

func (o *serverWriter) write(b []byte) error {
	if o.err != nil || len(b) == 0 {
		return o.err
	}
	if cap(o.buf) > keepWrite {
		o.buf = nil
	}
	_, o.err = o.w.Write(b)
	return o.err
}

// clip shortens a text to what a control frame may carry.
func clip(s string) string { return s[:min(len(s), maxText)] }
