package httpapi

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
)

// envelopes is the body of a SubmitStream. Each message in it is counted before it is read against what all
// requests may hold, and must come without stalling. Between two of them there may be any time.
type envelopes struct {
	io.ReadCloser
	api     *API
	control *http.ResponseController
	ctx     context.Context // of waiting for room
	cancel  context.CancelFunc
	late    *time.Timer // a deadline of the connection would cost more than a small message does

	head  [5]byte // flags and length, the same in all protocols
	got   int     // bytes of head
	left  int64   // bytes of the message that are still to come
	taken int64   // of room, for the message that was begun last

	mu   sync.Mutex // guards over
	over bool       // control must not be used any more
}

type envelopesKey struct{}

// envelopesOf returns the body of a SubmitStream.
func envelopesOf(ctx context.Context) *envelopes { return ctx.Value(envelopesKey{}).(*envelopes) }

// envelop has a request's body read as envelopes; leave says that the request is over.
func (a *API) envelop(r *http.Request, control *http.ResponseController) (_ *http.Request, leave func()) {
	e := &envelopes{ReadCloser: r.Body, api: a, control: control}
	e.ctx, e.cancel = context.WithCancel(r.Context())
	e.late = time.AfterFunc(a.cfg.Limits.Stall, e.unblock)
	e.late.Stop()
	r = r.WithContext(context.WithValue(r.Context(), envelopesKey{}, e))
	r.Body = e
	return r, e.leave
}

func (e *envelopes) Read(p []byte) (int, error) {
	wanted := e.left
	if e.got < len(e.head) {
		wanted = int64(len(e.head) - e.got)
	}
	n, err := e.ReadCloser.Read(p[:min(int64(len(p)), wanted)])
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, connect.NewError(connect.CodeDeadlineExceeded,
			fmt.Errorf("nothing of a message that was begun came for %v", e.api.cfg.Limits.Stall))
	case n == 0:
		return n, err
	}
	e.late.Stop()
	if wrong := e.advance(p[:n]); wrong != nil {
		return 0, wrong
	}
	if e.got > 0 {
		e.late.Reset(e.api.cfg.Limits.Stall)
	}
	return n, err
}

// advance follows what has come.
func (e *envelopes) advance(p []byte) error {
	if e.got < len(e.head) {
		e.got += copy(e.head[e.got:], p)
		if e.got < len(e.head) {
			return nil
		}
		if err := e.begin(int64(binary.BigEndian.Uint32(e.head[1:]))); err != nil {
			return err
		}
	} else {
		e.left -= int64(len(p))
	}
	if e.left == 0 {
		e.got = 0
	}
	return nil
}

// begin waits until there is room for a message. A stream holds none of it for another one meanwhile, but for
// what will be stored without its doing.
func (e *envelopes) begin(size int64) error {
	limits := &e.api.cfg.Limits
	if size > int64(limits.MaxBody) {
		return connect.NewError(connect.CodeResourceExhausted, fmt.Errorf("a message of %d bytes is larger than %d", size, limits.MaxBody))
	}
	room := min(size, int64(limits.MaxBuffered))
	if err := e.api.room.Acquire(e.ctx, room); err != nil {
		return answer(err)
	}
	e.left, e.taken = size, e.taken+room
	return nil
}

// take hands over the room of a message that was read, which may have become larger than what came of it.
func (e *envelopes) take(m proto.Message) (int64, error) {
	if more := min(int64(proto.Size(m))+growth(m), int64(e.api.cfg.Limits.MaxBuffered)) - e.taken; more > 0 {
		if !e.api.room.TryAcquire(more) {
			return 0, noRoom() // waiting could be for another stream that waits too
		}
		e.taken += more
	}
	taken := e.taken
	e.taken = 0
	return taken, nil
}

// unblock ends reading, now and later.
func (e *envelopes) unblock() {
	e.cancel()
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.over {
		_ = e.control.SetReadDeadline(time.Now().Add(-time.Second))
	}
}

func (e *envelopes) leave() {
	e.late.Stop()
	e.cancel()
	e.mu.Lock()
	e.over = true
	e.mu.Unlock()
	e.api.room.Release(e.taken)
}
