package pool

import (
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor/internal/worker"
)

// Source is where workers that were started with the same settings get their tasks.
type Source interface {
	// NewLane returns the lane of a worker that is not ready yet. limit is how many
	// tasks it may be given in its life, 0 any number.
	NewLane(w *worker.Worker, limit int, n Notify) Lane
	// Waiting is how many tasks could be given to a worker now.
	Waiting() int
	// Resize says how many workers of the pool take tasks at the same time.
	Resize(workers int)
	// Adopt puts in force what it knows of the settings, and what the plugin serves, for the
	// whole pool: its workers are of these settings now.
	Adopt(ipc.Ready)
}

// Lane is a Source's side of one worker.
type Lane interface {
	worker.Tasks
	// Retire gives the worker no more tasks. Notify.Empty follows when it has none left.
	Retire()
	// Busy says whether the worker has a task, at the cost of one atomic load.
	Busy() bool
	View() LaneView
}

// LaneView is what a lane is doing.
type LaneView struct {
	Task     string // id of the oldest task in the worker; empty if none
	InPipe   int
	Answered uint64
	Retired  bool
	Idle     time.Duration // for how long it has had nothing to do; 0 if it has
}

// Notify tells a pool about a lane. The functions are called without locks held and
// must not block.
type Notify struct {
	Wearing func() // few tasks are left of its limit: have a replacement ready
	Empty   func() // retired or used up, and its last task is answered: the worker may go
}
