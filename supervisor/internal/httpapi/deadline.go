package httpapi

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

// Deadlines are set for single reads and writes, so that a long poll and a stream may last while a
// caller that has stalled is cut off.

// streaming are the procedures that answer, and one that asks, with any number of messages.
var streaming = map[string]bool{
	broodv1.TaskServiceSubmitStreamProcedure: true,
	broodv1.TaskServiceWaitManyProcedure:     true,
	broodv1.AdminServiceWatchEventsProcedure: true,
}

// timed sets deadlines around a handler.
func (a *API) timed(next http.Handler) http.Handler {
	stall := a.cfg.Limits.Stall
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := &outlet{ResponseWriter: w, control: http.NewResponseController(w), stall: stall, lasting: streaming[r.URL.Path], room: a.room}
		defer out.release()
		if r.ProtoMajor == 1 {
			out.disarm() // what the request before on this connection has left
		}
		defer out.arm() // for what is flushed when the handler has returned
		// Only a copy has another body: net/http is to know what has been read of its own.
		r = r.WithContext(context.WithValue(r.Context(), outletKey{}, out))
		if r.URL.Path == broodv1.TaskServiceSubmitStreamProcedure && r.ProtoMajor != 1 {
			var leave func()
			r, leave = a.envelop(r, out.control)
			defer leave()
		} else {
			limited := http.MaxBytesReader(w, r.Body, int64(a.cfg.Limits.MaxBody)+bodySlack)
			in := &inlet{
				ReadCloser: limited, request: r, answer: w.Header(), control: out.control, stall: stall,
				room: a.room, most: int64(a.cfg.Limits.MaxBuffered), json: isJSON(r.Header) && !compressed(r.Header),
			}
			in.ended = r.Body == http.NoBody || r.ProtoMajor != 1 // HTTP/2 does not wait for bodies
			in.spare()
			defer in.leave()
			r.Body = in
		}
		next.ServeHTTP(out, r)
	})
}

// bodySlack is what a body may hold beside its one message, and what of a message that is
// too large is read to answer with its size.
const bodySlack = 1 << 20

// outlet writes with deadlines.
type outlet struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
	lasting bool // there may be much time between two writes
	held    bool // flushes wait

	room  *semaphore.Weighted
	taken int64 // of room, by an answer
}

type outletKey struct{}

// outletOf returns what a call's answers are written to; nil if that is not an outlet.
func outletOf(ctx context.Context) *outlet {
	o, _ := ctx.Value(outletKey{}).(*outlet)
	return o
}

func (o *outlet) Write(p []byte) (int, error) {
	o.arm()
	defer o.rest()
	return o.ResponseWriter.Write(p)
}

// Flush implements http.Flusher.
func (o *outlet) Flush() {
	if o.held {
		return
	}
	o.arm()
	defer o.rest()
	_ = o.control.Flush() // what cannot be flushed fails the next write
}

// take counts an answer until it is released, or the call is over.
func (o *outlet) take(size int) error {
	if o == nil || size < counted {
		return nil
	}
	if !o.room.TryAcquire(int64(size)) {
		return exhausted(again, "the server is full of requests and answers; ask again")
	}
	o.taken += int64(size)
	return nil
}

func (o *outlet) release() {
	if o != nil {
		o.room.Release(o.taken)
		o.taken = 0
	}
}

// counted is the size from which answers are counted, in bytes: smaller ones are no more than what a connection takes.
const counted = 64 << 10

// hold puts flushes off until it is called with false; several messages go out in one write then.
func (o *outlet) hold(held bool) {
	if o != nil {
		o.held = held
	}
}

// Unwrap lets http.ResponseController find what is beneath.
func (o *outlet) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// rest follows a write: HTTP/2 cuts a stream off at its deadline even if nobody writes.
func (o *outlet) rest() {
	if o.lasting {
		o.disarm()
	}
}

// Only what is no real connection has no deadlines, such as a recorder.
func (o *outlet) arm()    { _ = o.control.SetWriteDeadline(time.Now().Add(o.stall)) }
func (o *outlet) disarm() { _ = o.control.SetWriteDeadline(time.Time{}) }
