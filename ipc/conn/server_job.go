package conn

import (
	"context"
	"sync"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
)

// Job is one attempt at a task, and its handler's context. Name, payload and
// metadata are its own copies.
//
// The context proper, with its channel, is made when somebody first asks for it: most
// tasks of a few microseconds never do. It is a standard one below, so that
// context.Cause works on it and deriving from it costs no goroutine.
type Job struct {
	wire.Execute

	server *Server
	start  time.Duration // on the server's clock; set before the handler is entered

	mu     sync.Mutex
	ctx    context.Context // nil until asked for
	cancel context.CancelCauseFunc
	cause  error // why it was interrupted
	over   bool  // the handler has returned
}

type jobKey struct{}

// JobFrom returns the Job that ctx descends from.
func JobFrom(ctx context.Context) (*Job, bool) {
	j, ok := ctx.Value(jobKey{}).(*Job)
	return j, ok
}

func (j *Job) size() int { return len(j.Payload) + len(j.Meta) }

func (j *Job) inner() context.Context {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ctx == nil {
		j.ctx, j.cancel = context.WithCancelCause(j.server.work.Base)
		if j.over || j.cause != nil {
			j.cancel(j.cause)
		}
	}
	return j.ctx
}

// Deadline reports when the soft timeout falls due. No timer runs here: the
// supervisor ends the context.
func (j *Job) Deadline() (time.Time, bool) {
	if j.SoftTimeout == 0 {
		return time.Time{}, false
	}
	return j.server.epoch.Add(j.start + time.Duration(j.SoftTimeout)*time.Millisecond), true
}

// Done implements context.Context.
func (j *Job) Done() <-chan struct{} { return j.inner().Done() }

// Err implements context.Context.
func (j *Job) Err() error { return j.inner().Err() }

// Value implements context.Context.
func (j *Job) Value(key any) any {
	if key == (jobKey{}) {
		return j
	}
	return j.inner().Value(key)
}

// Interrupted says whether the task was cancelled.
func (j *Job) Interrupted() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.cause != nil
}

func (j *Job) interrupt(cause error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.over || j.cause != nil {
		return
	}
	j.cause = cause
	if j.cancel != nil {
		j.cancel(cause)
	}
}

// end frees whatever hangs on the context.
func (j *Job) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.over = true
	if j.cancel != nil {
		j.cancel(nil)
	}
}

// Progress tells the supervisor how far the task is. After the task's end it does nothing.
func (j *Job) Progress(fraction float64, message string) error {
	return j.server.out.frame(func(dst []byte) []byte {
		if j.ended() {
			return dst
		}
		return wire.AppendControl(dst, ipc.TypeProgress, 0, j.Seq, ipc.Progress{Fraction: share(fraction), Message: clip(message)})
	})
}

// Recycle asks the supervisor to replace this worker.
func (j *Job) Recycle(reason string) error {
	return j.server.out.control(ipc.TypeRecycle, 0, 0, ipc.Recycle{Reason: clip(reason)})
}

func (j *Job) ended() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.over
}

// share forces a fraction into 0 to 1; NaN, which JSON cannot carry, becomes 0.
func share(f float64) float64 {
	if !(f > 0) {
		return 0
	}
	return min(f, 1)
}
