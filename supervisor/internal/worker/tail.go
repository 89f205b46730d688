package worker

import (
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/brood-run/brood/ipc/pipe"
)

// tailReader reads a pipe. Once its deadline has passed it returns what is there and then
// io.EOF, without waiting. Not safe for concurrent use, but for the deadline.
type tailReader struct {
	f    *os.File
	raw  syscall.RawConn
	rest int // bytes read past the deadline
}

func tailPipe() (*tailReader, *os.File, error) {
	r, w, err := newPipe(fromWorker)
	if err != nil {
		return nil, nil, err
	}
	raw, err := r.SyscallConn()
	if err != nil {
		return nil, nil, errors.Join(err, r.Close(), w.Close())
	}
	return &tailReader{f: r, raw: raw}, w, nil
}

// Read implements io.Reader.
func (t *tailReader) Read(b []byte) (int, error) {
	return t.read(func(fd uintptr) (int, error) { return pipe.Read(fd, b) })
}

// read has do read once, waiting for bytes first if it must.
func (t *tailReader) read(do func(fd uintptr) (int, error)) (n int, err error) {
	try := func(fd uintptr) bool {
		n, err = do(fd)
		return err != syscall.EAGAIN
	}
	if e := t.raw.Read(try); e != nil {
		if !errors.Is(e, os.ErrDeadlineExceeded) || t.rest > maxRest {
			return 0, io.EOF
		}
		got := false
		if e := t.raw.Control(func(fd uintptr) { got = try(fd) }); e != nil || !got {
			return 0, io.EOF
		}
		t.rest += max(n, 0)
	}
	if err == nil && n == 0 {
		err = io.EOF
	}
	return max(n, 0), err
}
