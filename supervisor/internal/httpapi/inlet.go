package httpapi

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"connectrpc.com/connect"
	"golang.org/x/sync/semaphore"
)

// inlet reads a body with deadlines, and counts it against what all bodies may hold.
type inlet struct {
	io.ReadCloser
	request *http.Request
	answer  http.Header
	control *http.ResponseController
	stall   time.Duration
	room    *semaphore.Weighted
	most    int64 // of room
	json    bool

	armed time.Time
	ended bool  // nobody waits for the rest
	taken int64 // of room
}

// unread is how long net/http may wait for what nobody has read of a body, which it does before it sends the
// answer: callers that are refused must not hold their connections.
const unread = time.Second

// leave says that the request is over.
func (i *inlet) leave() {
	i.spare()
	i.room.Release(i.taken)
}

// spare bounds the time that is left to a body from before it is read until somebody reads it, and after that.
func (i *inlet) spare() {
	if !i.ended {
		_ = i.control.SetReadDeadline(time.Now().Add(min(unread, i.stall/4))) // before the answer's own deadline
	}
}

func (i *inlet) Read(p []byte) (int, error) {
	if now := time.Now(); now.Sub(i.armed) > i.stall/4 {
		i.armed = now
		_ = i.control.SetReadDeadline(now.Add(i.stall))
	}
	n, err := i.ReadCloser.Read(p)
	switch {
	case err == io.EOF:
		i.ended = true
		_ = i.control.SetReadDeadline(time.Time{}) // a long poll may follow
	case errors.Is(err, os.ErrDeadlineExceeded):
		i.hangUp()
		return 0, connect.NewError(connect.CodeDeadlineExceeded, fmt.Errorf("nothing of the body came for %v", i.stall))
	}
	weight := min(i.weigh(p[:n]), i.most-i.taken)
	if n > 0 && !i.room.TryAcquire(weight) {
		i.hangUp()
		return 0, noRoom()
	}
	i.taken += weight
	return n, err
}

// weigh says what bytes take when they have become a message.
func (i *inlet) weigh(p []byte) int64 {
	if !i.json {
		return int64(len(p))
	}
	return int64(len(p) + valueSize*countValues(p))
}

// hangUp has the connection closed after the answer: the rest of the body may still come.
func (i *inlet) hangUp() {
	if i.request.ProtoMajor == 1 {
		i.answer.Set("Connection", "close")
	}
}

func noRoom() error {
	return exhausted(again, "the server is full of requests that are being read; send this one again")
}

// compression reads gzip, a few messages at a time and none beyond the limit, so that a small
// message that becomes a huge one costs neither memory nor time.
func compression(limit int64) connect.HandlerOption {
	turns := make(chan struct{}, 4)
	return connect.WithCompression("gzip",
		func() connect.Decompressor { return &inflater{limit: limit, turns: turns} },
		func() connect.Compressor { return gzip.NewWriter(io.Discard) },
	)
}

// inflater is one reader of gzip. It is used for one message after the other.
type inflater struct {
	gzip.Reader
	limit, left int64
	turns       chan struct{}
	turn        bool // it has one
}

var errInflated = errors.New("it becomes too large when it is decompressed")

// Reset implements connect.Decompressor.
func (f *inflater) Reset(r io.Reader) error {
	f.left = f.limit + 1 // the one more tells that it is too large
	if err := f.Reader.Reset(r); err != nil {
		return err
	}
	f.turns <- struct{}{}
	f.turn = true
	return nil
}

func (f *inflater) Read(p []byte) (int, error) {
	if f.left <= 0 {
		return 0, errInflated
	}
	n, err := f.Reader.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	return n, err
}

// Close implements connect.Decompressor.
func (f *inflater) Close() error {
	if f.turn {
		f.turn = false
		<-f.turns
	}
	return f.Reader.Close()
}
