package pace

import (
	"context"
	"syscall"
	"time"
)

// sleep is short and exact: the runtime's timers wake an idle process a millisecond
// late, in which hundreds of tasks would fall due at once.
func sleep(ctx context.Context, d time.Duration) {
	if d > time.Millisecond {
		wait(ctx, d)
		return
	}
	ts := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&ts, nil) // woken early, the pacer looks at the clock again
}
