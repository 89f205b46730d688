package event

import "time"

// Event is one fact. The concrete types in this package are all there are.
type Event interface {
	// When it happened.
	When() time.Time
	// Kind names the type in logs and streams, for example "task_queued".
	Kind() string
	// String is one sentence for people.
	String() string
}

var (
	_ Event = TaskQueued{}
	_ Event = TaskStarted{}
	_ Event = TaskAttemptFailed{}
	_ Event = TaskRetrying{}
	_ Event = TaskRecalled{}
	_ Event = TaskProgress{}
	_ Event = TaskFinished{}
	_ Event = WorkerStarting{}
	_ Event = WorkerReady{}
	_ Event = WorkerDraining{}
	_ Event = WorkerStopping{}
	_ Event = WorkerExited{}
	_ Event = PluginChanged{}
	_ Event = PoolDegraded{}
	_ Event = PoolRecovered{}
)
