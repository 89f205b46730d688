package httpapi

import (
	"context"
	"io"
	"net/http"
	"time"
)

// Deadlines are set for each read and write alone, so that a long poll and a stream may last while
// a caller that has stalled is cut off.

// timedWriter gives each write a deadline.
type timedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
}

func (w *timedWriter) Write(p []byte) (int, error) {
	w.arm()
	defer w.disarm()
	return w.ResponseWriter.Write(p)
}

// Flush implements http.Flusher.
func (w *timedWriter) Flush() {
	w.arm()
	defer w.disarm()
	_ = w.control.Flush() // what cannot be flushed fails the next write
}

// Unwrap lets http.ResponseController find what is beneath.
func (w *timedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// A connection that has no deadlines is in a test.
func (w *timedWriter) arm()    { _ = w.control.SetWriteDeadline(time.Now().Add(w.stall)) }
func (w *timedWriter) disarm() { _ = w.control.SetWriteDeadline(time.Time{}) }

// timedBody gives each read a deadline.
type timedBody struct {
	io.ReadCloser
	control *http.ResponseController
	stall   time.Duration
}

func (b *timedBody) Read(p []byte) (int, error) {
	_ = b.control.SetReadDeadline(time.Now().Add(b.stall))
	n, err := b.ReadCloser.Read(p)
	_ = b.control.SetReadDeadline(time.Time{})
	return n, err
}

type controlKey struct{}

// unblock ends a request's reads, now and later.
func unblock(ctx context.Context) {
	if c, ok := ctx.Value(controlKey{}).(*http.ResponseController); ok {
		_ = c.SetReadDeadline(time.Now())
	}
}

// timed sets deadlines around a handler. The body of a stream may take its time: a caller
// need not have tasks all the time, and its connection is watched by pings.
func (a *API) timed(next http.Handler) http.Handler {
	stall := a.cfg.Limits.Stall
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		tw := &timedWriter{w, control, stall}
		tw.disarm()    // what the request before on this connection has left
		defer tw.arm() // for what is flushed when the handler has returned
		r = r.WithContext(context.WithValue(r.Context(), controlKey{}, control))
		if !streams[r.URL.Path] {
			r.Body = &timedBody{http.MaxBytesReader(w, r.Body, int64(a.cfg.Limits.MaxBody)+bodySlack), control, stall}
		}
		next.ServeHTTP(tw, r)
	})
}

// bodySlack is what a body may hold beside its one message, and what of a message that is
// too large is read to answer with its size.
const bodySlack = 1 << 20
