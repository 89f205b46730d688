package child

import (
	"context"
	"encoding/json"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/ipc/conn"
)

// Info describes the attempt that a context belongs to.
type Info struct {
	ID          string // the task's
	Task        string // name, as submitted
	Attempt     int    // 1 for the first
	MaxAttempts int
	Meta        map[string]string
	Worker      string        // the worker's name
	SoftTimeout time.Duration // 0 is none
	HardTimeout time.Duration // 0 is none
}

type workerKey struct{}

// TaskInfo describes the task whose handler was given ctx or a parent of it. For any
// other context it is the zero Info.
func TaskInfo(ctx context.Context) Info {
	job, ok := conn.JobFrom(ctx)
	if !ok {
		return Info{}
	}
	info := Info{
		ID: job.TaskID, Task: job.Name, Attempt: int(job.Attempt), MaxAttempts: int(job.MaxAttempts),
		SoftTimeout: time.Duration(job.SoftTimeout) * time.Millisecond,
		HardTimeout: time.Duration(job.HardTimeout) * time.Millisecond,
	}
	if w, ok := ctx.Value(workerKey{}).(*worker); ok {
		info.Worker = w.hello.Worker
	}
	if len(job.Meta) > 0 {
		// Metadata that is not an object of strings is left out; the payload is what counts.
		if err := json.Unmarshal(job.Meta, &info.Meta); err != nil {
			info.Meta = nil
		}
	}
	return info
}

// Logger returns a logger whose lines reach the supervisor's log under the task's
// name and id; in a hook, under the worker's. Outside a worker it writes nothing.
func Logger(ctx context.Context) hclog.Logger {
	w, ok := ctx.Value(workerKey{}).(*worker)
	if !ok {
		return hclog.NewNullLogger()
	}
	job, ok := conn.JobFrom(ctx)
	if !ok {
		return w.logger
	}
	return w.logger.With("correlation_id", job.TaskID, "task", job.Name, "attempt", int(job.Attempt))
}

// Progress tells the supervisor how far the task is, from 0 to 1. It does nothing
// outside a task or after its end.
func Progress(ctx context.Context, fraction float64, message string) {
	if job, ok := conn.JobFrom(ctx); ok {
		// An error means that the supervisor is gone; the worker is leaving already.
		_ = job.Progress(fraction, message)
	}
}

// Recycle asks the supervisor to replace this worker once its tasks are done, for
// example because the handler knows that it leaks. It does nothing outside a task.
func Recycle(ctx context.Context, reason string) {
	if job, ok := conn.JobFrom(ctx); ok {
		_ = job.Recycle(reason) // as in Progress
	}
}
