package worker

import (
	"errors"
	"io"
	"os"

	"github.com/brood-run/brood/ipc/pipe"
)

// tailReader reads a pipe. Once its deadline has passed it returns what is there and then
// io.EOF, without waiting. Not safe for concurrent use, but for the deadline.
type tailReader struct {
	end  *pipe.End
	rest int // bytes read past the deadline
}

// tailPipe makes a pipe from a worker, read with a function of its own.
func tailPipe(read func(fd uintptr, b []byte) (int, error)) (*tailReader, *os.File, error) {
	ours, theirs, err := newPipe(fromWorker)
	if err != nil {
		return nil, nil, err
	}
	end, err := pipe.NewObserved(ours, read)
	if err != nil {
		return nil, nil, errors.Join(err, ours.Close(), theirs.Close())
	}
	return &tailReader{end: end}, theirs, nil
}

// Read implements io.Reader.
func (t *tailReader) Read(b []byte) (int, error) {
	n, err := t.end.Read(b)
	switch {
	case err == nil:
		return n, nil
	case !errors.Is(err, os.ErrDeadlineExceeded), t.rest > maxRest:
		return 0, io.EOF
	}
	if n, err = t.end.ReadNow(b); err != nil {
		return 0, io.EOF
	}
	t.rest += n
	return n, nil
}

func (t *tailReader) file() *os.File { return t.end.File() }
