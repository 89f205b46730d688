package supervisor

import (
	"time"

	"github.com/brood-run/brood/supervisor/internal/pool"
)

// Snapshot is what a supervisor is doing at one moment.
type Snapshot struct {
	Queued    int    // tasks waiting for a worker
	Running   int    // tasks in workers' pipes
	Retrying  int    // tasks waiting for their next attempt
	Unread    int    // results nobody has read
	Processed uint64 // tasks that have ended
	Pools     []PoolSnapshot
}

// PoolSnapshot is one pool's part.
type PoolSnapshot struct {
	Name   string
	Plugin string
	// Isolation is the level in use; what auto came to, after Start.
	Isolation Isolation
	Degraded  string // why workers do not come up or keep dying; empty if all is well
	// Reload is why the last reload was rolled back; empty if it was not.
	Reload   string
	Tasks    []string // as configured
	Queued   int
	Running  int    // tasks in workers' pipes
	Done     uint64 // tasks that have ended
	Size     int    // how many workers there are to be
	Workers  []WorkerSnapshot
	Restarts map[string]uint64 // workers that ended, by reason
	PeakRSS  uint64            // highest resident memory of any worker so far, in bytes
}

// WorkerSnapshot is one worker.
type WorkerSnapshot struct {
	Name      string
	PID       int    // 0 before there is a process
	State     string // starting, ready, busy, draining, stopping
	Task      string // id of the oldest task in it; empty if none
	RSS       uint64 // bytes
	PeakRSS   uint64 // bytes
	CPU       time.Duration
	TasksDone uint64
	Age       time.Duration
}

// Len is the number of tasks that were submitted and have not ended.
func (s *Supervisor) Len() int {
	n := 0
	for _, p := range s.pools() {
		c := p.tasks.Counts()
		n += c.Queued + c.Running + c.Retrying
	}
	return n
}

// Processed is the number of tasks that have ended.
func (s *Supervisor) Processed() uint64 {
	var n uint64
	for _, p := range s.pools() {
		n += p.tasks.Counts().Done
	}
	return n
}

// Snapshot returns figures and workers as of now. It reads each worker's memory and CPU
// time: some 50 us for each.
func (s *Supervisor) Snapshot() Snapshot {
	var out Snapshot
	for _, p := range s.pools() {
		c := p.tasks.Counts()
		out.Queued += c.Queued
		out.Running += c.Running
		out.Retrying += c.Retrying
		out.Unread += c.Unread
		out.Processed += c.Done
		v := p.pool.View()
		cfg := p.cfg.Load()
		ps := PoolSnapshot{
			Name: p.name, Plugin: cfg.Plugin, Isolation: cfg.Isolation, Degraded: v.Degraded, Reload: v.Reload,
			Tasks: cfg.Tasks, Queued: c.Queued, Running: c.Running, Done: c.Done, Size: v.Size, Restarts: v.Restarts, PeakRSS: v.PeakRSS,
		}
		for _, w := range v.Workers {
			ps.Workers = append(ps.Workers, workerSnapshot(w))
		}
		out.Pools = append(out.Pools, ps)
	}
	return out
}

func workerSnapshot(w pool.WorkerView) WorkerSnapshot {
	return WorkerSnapshot{
		Name: w.Name, PID: w.PID, State: w.State, Task: w.Task, RSS: w.RSS, PeakRSS: w.PeakRSS,
		CPU: w.CPU, TasksDone: w.TasksDone, Age: w.Age,
	}
}
