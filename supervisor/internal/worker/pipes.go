package worker

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/brood-run/brood/ipc/pipe"
	"github.com/brood-run/brood/ipc/scoreboard"
)

// maxRest bounds what is read from a pipe after the worker's death: a descendant may
// go on writing for ever.
const maxRest = 4 << 20

// pipes are the descriptors between the supervisor and one worker. None is ever used
// for another worker.
type pipes struct {
	requests  *pipe.End // to write to
	responses *tailReader
	stdout    *tailReader
	stderr    *tailReader
	board     *scoreboard.Board // nil where the system has none

	wide atomic.Bool // the pipes have been widened

	child struct { // the worker's ends, closed once it has them
		requests, responses, stdout, stderr, board *os.File
	}
}

func newPipes() (_ *pipes, err error) {
	p := &pipes{}
	defer func() {
		if err != nil {
			p.closeChildEnds()
			p.close()
		}
	}()
	requests, theirs, err := newPipe(toWorker)
	if err != nil {
		return nil, err
	}
	p.child.requests = theirs
	if p.requests, err = pipe.New(requests); err != nil {
		return nil, errors.Join(err, requests.Close())
	}
	if p.responses, p.child.responses, err = tailPipe(pipe.Read); err != nil {
		return nil, err
	}
	p.responses.end.Spin()
	p.board, p.child.board, err = scoreboard.Create()
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	if p.stdout, p.child.stdout, err = tailPipe(p.counted(scoreboard.Stdout)); err != nil {
		return nil, err
	}
	p.stderr, p.child.stderr, err = tailPipe(p.counted(scoreboard.Stderr))
	return p, err
}

// explainPipes adds what to do about a limit.
func explainPipes(err error) error {
	if errors.Is(err, syscall.EMFILE) {
		return fmt.Errorf("%w (the limit of open files is reached: see ulimit -n)", err)
	}
	return err
}

// counted is a read of a captured stream that the scoreboard knows of.
func (p *pipes) counted(s scoreboard.Stream) func(uintptr, []byte) (int, error) {
	board := p.board
	if board == nil {
		return pipe.Read
	}
	return func(fd uintptr, b []byte) (int, error) {
		board.BeginRead(s)
		n, err := pipe.Read(fd, b)
		board.EndRead(s, n)
		return n, err
	}
}

// largePayload is the size from which a payload deserves wider pipes.
const largePayload = 128 << 10

// widen makes room for large payloads, once: through a pipe of 64 KiB a megabyte takes
// sixteen turns of both processes. Only where it pays, because what a user may have in pipes is
// limited as a whole.
func (p *pipes) widen(payload int) {
	if payload < largePayload || p.wide.Load() || p.wide.Swap(true) {
		return
	}
	for _, c := range []syscall.Conn{p.requests.File(), p.responses.file()} {
		if raw, err := c.SyscallConn(); err == nil {
			// Refused beyond the limit: then it stays as it was.
			_ = raw.Control(func(fd uintptr) { widenPipe(fd) })
		}
	}
}

// direction says which end of a pipe is ours.
type direction bool

const (
	fromWorker direction = false
	toWorker   direction = true
)

// extra lists the worker's descriptors from 3 up.
func (p *pipes) extra() []*os.File {
	files := []*os.File{p.child.requests, p.child.responses}
	if p.child.board != nil {
		files = append(files, p.child.board)
	}
	return files
}

func (p *pipes) closeChildEnds() {
	c := &p.child
	for _, f := range []*os.File{c.requests, c.responses, c.stdout, c.stderr, c.board} {
		if f != nil {
			_ = f.Close() // a second Close is refused, which is fine
		}
	}
}

// finish makes readers return when they have read what is there, and writers at once.
func (p *pipes) finish() {
	_ = p.requests.File().Close() // nobody reads it any more
	for _, r := range []*tailReader{p.responses, p.stdout, p.stderr} {
		_ = r.file().SetReadDeadline(time.Unix(1, 0)) // pipes support deadlines
	}
}

func (p *pipes) close() {
	if p.requests != nil {
		_ = p.requests.File().Close() // closed before, after a normal life
	}
	for _, r := range []*tailReader{p.responses, p.stdout, p.stderr} {
		if r != nil {
			_ = r.file().Close() // only read from
		}
	}
	if p.board != nil {
		p.board.Close()
	}
}
