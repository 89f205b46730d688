package worker

import (
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/cgroup"
	"github.com/brood-run/brood/supervisor/internal/proc"
)

// Config is what all workers of a pool have in common. All of it is set.
type Config struct {
	Pool string
	Path string // the plugin

	Program *Program // the file at Path

	Args []string
	Env  []string // added to the supervisor's own, or with ClearEnv in its place
	Dir  string

	ClearEnv bool

	Slots        int
	MaxFrame     int // bytes
	StartTimeout time.Duration
	StopGrace    time.Duration // from Stop to the kill
	Heartbeat    time.Duration
	Missed       int  // beats
	RecordOutput bool // of completed tasks too
	Limits       proc.Limits
	PIDNamespace bool   // each process in one of its own
	Scratch      string // for directories that live for a moment; empty where there is none

	Spawner *proc.Spawner
	Reaper  *proc.Reaper   // nil: orphans are not looked for
	Cgroups *cgroup.Parent // nil: workers get none
	Shared  cgroup.Limits  // of a worker with all its descendants; only with Cgroups
	Logger  hclog.Logger
	Events  *event.Hub
}

// Tasks is where a worker gets its tasks and brings its answers. Ready and Exited
// are called from the worker's run goroutine, Take from its writer, the rest from its reader.
type Tasks interface {
	Ready(ipc.Ready)
	// Take emits the tasks to write now and says how many. They are flushed, and
	// Take is called again, until it says 0; then not before the next Wake.
	Take(emit func([]wire.Execute)) int
	// Results and Recalled return an error if the worker lies.
	Results([]Answer) error
	Recalled(ids []uint64) error
	Progress(seq uint64, p ipc.Progress)
	// Label names the task behind an id in the pipe.
	Label(seq uint64) (id string, attempt int, ok bool)
	// Running is the oldest task in the pipe, 0 if there is none.
	Running() uint64
	// Exited is the last call. It sets Exit.Lost.
	Exited(*Exit)
}

// Answer is a worker's answer to a task and what the supervisor adds to it. Output and
// PeakRSS are set unless it completed, or with RecordOutput.
type Answer struct {
	wire.Result
	Output  string
	PeakRSS uint64
}

// Events a pool wants to know of. Called from the worker's goroutines; must not block.
type Owner interface {
	WorkerReady(*Worker)
	WorkerAsked(w *Worker, reason string)
	// CountExit comes before the results of the tasks that the worker took with it, so
	// that who has a result finds its cause in the figures.
	CountExit(*Exit)
	WorkerExited(*Worker, *Exit)
}
