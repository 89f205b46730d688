package task

import (
	"errors"
	"fmt"
	"time"

	"github.com/brood-run/brood/ipc/wire"
)

// Task is one piece of work: the name of a handler, a payload and options. The
// supervisor does not copy it: leave Payload and Meta alone until its result is there.
type Task struct {
	// ID names the task in results, logs and records. At most 1024 bytes.
	// Defaults to a UUIDv7.
	ID string
	// Name of the handler. May be empty when the plugin serves exactly one. At
	// most 255 bytes.
	Name string
	// Payload is handed to the handler as it is. May be empty.
	Payload []byte
	Options
}

// Options say how a task is treated. The zero value takes the pool's settings.
type Options struct {
	// Priority: higher first. Waiting tasks age, so that none starves. -1000 to
	// 1000; default 0.
	Priority int
	// SoftTimeout cancels the handler's context this long after it started.
	// Defaults to the pool's. Negative means none.
	SoftTimeout time.Duration
	// HardTimeout kills the worker this long after the handler started.
	// Defaults to the pool's. Negative means none.
	HardTimeout time.Duration
	// MaxAttempts bounds how often the handler is started. Defaults to the
	// pool's. 1 to 65535.
	MaxAttempts int
	// AtMostOnce: never started again once a worker has started it, however
	// that attempt ended.
	AtMostOnce bool
	// Expires drops the task (status expired) when it has not started this
	// long after it was submitted. 0 means never.
	Expires time.Duration
	// Meta travels to the handler's context and back in the result.
	Meta map[string]string
	// Tag is carried from the task to its result untouched and never leaves the process.
	Tag any
}

// ErrInvalid wraps every reason why a task cannot be accepted.
var ErrInvalid = errors.New("invalid task")

// Bounds of Options.
const (
	MaxPriority = 1000
	MinPriority = -1000
)

// Validate says what is wrong with a task, naming the field, or nil. The error
// wraps ErrInvalid.
func (t *Task) Validate(maxPayload int) error {
	switch {
	case len(t.ID) > wire.MaxID:
		return fmt.Errorf("%w: id is %d bytes long, the limit is %d", ErrInvalid, len(t.ID), wire.MaxID)
	case len(t.Name) > wire.MaxName:
		return fmt.Errorf("%w: task name is %d bytes long, the limit is %d", ErrInvalid, len(t.Name), wire.MaxName)
	case len(t.Payload) > maxPayload:
		return fmt.Errorf("%w: payload is %d bytes, the limit is %d", ErrInvalid, len(t.Payload), maxPayload)
	case t.Priority < MinPriority || t.Priority > MaxPriority:
		return fmt.Errorf("%w: priority %d is outside %d to %d", ErrInvalid, t.Priority, MinPriority, MaxPriority)
	case t.MaxAttempts < 0 || t.MaxAttempts > 1<<16-1:
		return fmt.Errorf("%w: max_attempts %d is outside 1 to 65535", ErrInvalid, t.MaxAttempts)
	case t.Expires < 0:
		return fmt.Errorf("%w: expires %v is negative", ErrInvalid, t.Expires)
	}
	size := 0
	for k, v := range t.Meta {
		size += len(k) + len(v) + 8
	}
	if size > wire.MaxMeta/8 {
		return fmt.Errorf("%w: meta is about %d bytes, the limit is %d", ErrInvalid, size, wire.MaxMeta/8)
	}
	return nil
}
