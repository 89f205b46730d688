package pipe

import (
	"io"
	"os"
	"syscall"
)

// End is one end of a pipe.
type End struct {
	f       *os.File
	raw     syscall.RawConn
	in, out call
}

// call is one direction's system call. Its function is made once: a new one for each call would
// be an allocation for each.
type call struct {
	do  func(fd uintptr) bool
	b   []byte
	n   int
	err error
}

// New returns an End over a file that does not block. Whoever closes the file must not wait
// for a Read or Write to return: closing makes them.
func New(f *os.File) (*End, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	e := &End{f: f, raw: raw}
	e.in.do = func(fd uintptr) bool {
		e.in.n, e.in.err = Read(fd, e.in.b)
		return e.in.err != syscall.EAGAIN
	}
	e.out.do = func(fd uintptr) bool {
		e.out.n, e.out.err = Write(fd, e.out.b)
		return e.out.err != syscall.EAGAIN
	}
	return e, nil
}

// File is the file below, to close it or to set deadlines.
func (e *End) File() *os.File { return e.f }

// Read implements io.Reader.
func (e *End) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	e.in.b = b
	err := e.raw.Read(e.in.do)
	e.in.b = nil
	switch {
	case err != nil:
		return 0, err
	case e.in.err != nil:
		return 0, os.NewSyscallError("read", e.in.err)
	case e.in.n == 0:
		return 0, io.EOF
	}
	return e.in.n, nil
}

// Write implements io.Writer. It waits while the pipe is full.
func (e *End) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		e.out.b = b[done:]
		err := e.raw.Write(e.out.do)
		e.out.b = nil
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
