package pipe

import (
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// End is one end of a pipe.
type End struct {
	f    *os.File
	raw  syscall.RawConn
	call func(fd uintptr, b []byte) (int, error) // reads
	spin *spinner                                // nil: Read sleeps at once
	busy atomic.Bool                             // see Busy

	in, out transfer
}

// transfer is one direction's system call. Its functions are made once: new ones for each call
// would be allocations for each.
type transfer struct {
	wait  func(fd uintptr) bool // does it, waits if it cannot be done yet
	now   func(fd uintptr)      // does it, or not
	b     []byte
	n     int
	err   error
	slept time.Time // when it began to wait; zero if it did not
}

// New returns an End over a file that does not block. Closing the file ends a Read or Write
// that waits.
func New(f *os.File) (*End, error) { return NewObserved(f, Read) }

// NewObserved is New with a function of its own in place of Read.
func NewObserved(f *os.File, read func(fd uintptr, b []byte) (int, error)) (*End, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	e := &End{f: f, raw: raw, call: read}
	e.busy.Store(runtime.GOMAXPROCS(0) == 1)
	e.in.now = e.read
	e.in.wait = e.readOrSpin
	e.out.wait = func(fd uintptr) bool {
		e.out.n, e.out.err = Write(fd, e.out.b)
		return e.out.settled()
	}
	return e, nil
}

// Spin has Read look again for a moment before it sleeps, as long as that helps: between two
// processes that answer each other in microseconds, sleeping is what takes the time.
func (e *End) Spin() {
	if runtime.GOMAXPROCS(0) > 1 {
		e.spin = &spinner{}
	}
}

// Busy says that who reads may go on to keep every processor of this process busy at once. With
// one processor that is always so.
func (e *End) Busy() { e.busy.Store(true) }

// File is the file below, to close it or to set deadlines.
func (e *End) File() *os.File { return e.f }

func (e *End) read(fd uintptr) { e.in.n, e.in.err = e.call(fd, e.in.b) }

func (e *End) readOrSpin(fd uintptr) bool {
	e.read(fd)
	if e.in.err == syscall.EAGAIN && e.spin != nil {
		e.in.err = e.spin.try(func() error { e.read(fd); return e.in.err })
	}
	return e.in.settled()
}

// Read implements io.Reader.
func (e *End) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	e.in.b = b
	err := e.raw.Read(e.in.wait)
	e.in.over(e.busy.Load())
	if err != nil {
		return 0, err
	}
	return e.in.result()
}

// ReadNow reads what is there, also after a deadline. If nothing is, the error is
// syscall.EAGAIN.
func (e *End) ReadNow(b []byte) (int, error) {
	e.in.b = b
	err := e.raw.Control(e.in.now)
	e.in.b = nil
	if err != nil {
		return 0, err
	}
	return e.in.result()
}

// settled says that the call is done, and notes when it has to wait.
func (t *transfer) settled() bool {
	if t.err != syscall.EAGAIN {
		return true
	}
	if t.slept.IsZero() {
		t.slept = time.Now()
	}
	return false
}

// nap is how long a sleep must have been for WakeMonitor: after each it would cost up to a
// third of the throughput of many workers.
const nap = 50 * time.Millisecond

// over ends a transfer. Who slept for it may find the monitor asleep.
func (t *transfer) over(busy bool) {
	if !t.slept.IsZero() {
		if busy || time.Since(t.slept) > nap {
			WakeMonitor()
		}
		t.slept = time.Time{}
	}
	t.b = nil
}

func (t *transfer) result() (int, error) {
	switch {
	case t.err != nil:
		return 0, os.NewSyscallError("read", t.err)
	case t.n == 0:
		return 0, io.EOF
	}
	return t.n, nil
}

// Write implements io.Writer. It waits while the pipe is full.
func (e *End) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		e.out.b = b[done:]
		err := e.raw.Write(e.out.wait)
		e.out.over(e.busy.Load())
		if err == nil && e.out.err != nil {
			err = os.NewSyscallError("write", e.out.err)
		}
		if err != nil {
			return done, err
		}
		done += e.out.n
	}
	return done, nil
}
