package supervisor

import (
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/ipc/wire"
	"github.com/brood-run/brood/supervisor/broker"
)

// Config configures a Supervisor. New applies defaults to a copy.
type Config struct {
	// Pools, at least one.
	Pools []PoolConfig
	// QueueSize is how many tasks may wait in each pool before Submit blocks and
	// TrySubmit returns ErrQueueFull. 1 or more; defaults to 1024.
	QueueSize int
	// ResultLimit is how many finished tasks may wait for somebody to read their
	// result before Submit blocks too. 1 or more; defaults to 100,000.
	ResultLimit int
	// MaxPayload is the largest payload and the largest result, in bytes. 1 to 1 GiB;
	// defaults to 64 MiB.
	MaxPayload int
	// GracePeriod is how long Stop lets running tasks finish. Defaults to 30 s;
	// negative means not at all.
	GracePeriod time.Duration
	// RecordAttempts keeps a record of successful attempts too, with their
	// output. Default false: only attempts that went wrong are recorded.
	RecordAttempts bool
	// ReapOrphans makes this process the child subreaper (Linux) and kills what a dead
	// worker's tree left behind, setsid or not. Only for a process whose children
	// are all brood's or are waited for by pid. Default false: process groups alone.
	ReapOrphans bool
	// Broker keeps the tasks that are submitted, and their results, so that they outlive this
	// process or are shared with others; it is not closed. Map does without. Default: tasks
	// are kept in memory by the supervisor itself.
	Broker broker.Broker
	// Logger receives worker and task transitions and captured output. Defaults
	// to none.
	Logger hclog.Logger
}

// PoolConfig describes the workers of one plugin and their limits.
type PoolConfig struct {
	// Name of the pool in logs and figures. Defaults to the plugin's base name.
	Name string
	// Plugin is the path of the executable. Required.
	Plugin string
	// SHA256 is the checksum, in hex, that the plugin's file must have whenever a worker is
	// started from it; otherwise none is. It covers that file alone, not the interpreter of a
	// script nor shared libraries. Default: any file is started; one that changes
	// while the pool runs is reported by an event.PluginChanged.
	SHA256 string
	// Args are given to the plugin's process.
	Args []string
	// Env is added to the worker's environment, "KEY=value".
	Env []string
	// ClearEnv keeps the supervisor's own environment from the worker, which then has Env
	// and what brood itself sets. Default false.
	ClearEnv bool
	// Dir is the worker's working directory. Defaults to the supervisor's.
	Dir string
	// Tasks this pool serves. Required when there are several pools: tasks are
	// routed by name. With one pool every task goes to it.
	Tasks []string

	// Workers is the number of processes. 1 to 10,000; defaults to the number of CPUs.
	Workers int
	// Slots is how many tasks one worker runs at once. 1 to 1024; defaults to 1.
	Slots int
	// Window is the most tasks that may be in one worker's pipe, running or waiting.
	// It adapts between Slots and this. Defaults to 256; a value of Slots turns
	// reading ahead off.
	Window int

	// MaxTasksPerChild recycles a worker after that many tasks. 0 means never.
	MaxTasksPerChild int
	// TTL recycles a worker of that age. 0 means never.
	TTL time.Duration
	// IdleTTL stops a worker that had nothing to do for that long; it is started
	// again on demand. 0 means never.
	IdleTTL time.Duration
	// SoftMemoryLimit recycles a worker after the task in which its resident
	// memory went over it, in bytes. 0 means none.
	SoftMemoryLimit uint64
	// HardMemoryLimit kills a worker in the middle of its task, in bytes. In a cgroup the kernel
	// keeps it, for the worker and all its descendants together. 0 means none.
	HardMemoryLimit uint64
	// RecycleJitter spreads MaxTasksPerChild, TTL and SoftMemoryLimit downwards by up to
	// this fraction, so that workers do not wear out together. 0 to 0.5;
	// defaults to 0.1; negative means none.
	RecycleJitter float64

	// SoftTimeout cancels a handler's context that long after it started. 0 means none.
	SoftTimeout time.Duration
	// HardTimeout kills the worker that long after its handler started. 0 means none.
	HardTimeout time.Duration
	// StartTimeout is how long a worker may take to become ready. Defaults to 10 s.
	StartTimeout time.Duration
	// CancelGrace is how long a cancelled handler may take to return before its
	// worker is killed. Defaults to 5 s.
	CancelGrace time.Duration
	// Heartbeat is the interval between a worker's beats. Defaults to 1 s.
	Heartbeat time.Duration
	// MissedHeartbeats is how many missed beats mean that a worker is stopped or
	// wedged. Defaults to 10.
	MissedHeartbeats int

	// MaxAttempts bounds how often a task's handler is started. 1 to 65535; defaults to 3.
	MaxAttempts int
	// MaxCrashes dead-letters a task that has ended that many workers, even with
	// attempts left. Defaults to 2.
	MaxCrashes int
	// BackoffBase and BackoffCap shape the delay before a retry: full jitter over
	// base * 2^(n-1), at most the cap. Default to 1 s and 5 min.
	BackoffBase, BackoffCap time.Duration

	// Isolation of each worker from the rest of the machine. Defaults to IsolationGroup.
	Isolation Isolation
	// Limits of each worker process.
	Limits Limits
}

// Limits are set on each worker process before it is given tasks.
type Limits struct {
	// Rlimits by name, both soft and hard: nofile, core, cpu (seconds), as (bytes),
	// nproc, fsize (bytes).
	Rlimits map[string]uint64
	// Nice is added to the scheduling priority. -20 to 19; default 0.
	Nice int
	// OOMScoreAdj tells the kernel whom to kill when memory runs out. -1000 to 1000;
	// defaults to 500: the worker, never the supervisor.
	OOMScoreAdj *int
	// User and Group to run as, by name or number. Needs root. Default: the supervisor's.
	User, Group string
	// NoNewPrivs keeps the worker from gaining privileges through setuid binaries. Default false.
	NoNewPrivs bool
	// CPU is how many processors a worker and all its descendants may use together: 1.5 is
	// one and a half. Needs a cgroup (IsolationCgroup or IsolationPIDNS). 0 means no limit.
	CPU float64
	// Pids is how many processes and threads a worker and all its descendants may be
	// together; a worker written in Go has some ten threads. Needs a cgroup. 0 means no limit.
	Pids int
	// AllowRead lists the files and directories that the worker, and all that it starts, may
	// read, list and execute, with what is beneath them. Beyond these and AllowWrite it may
	// do so with nothing but the plugin itself, its interpreter or loader, /dev/null, /dev/zero,
	// /dev/random and /dev/urandom. What is open already, such as its pipes, stays usable;
	// looking at the names, sizes and owners of files, and sockets, are not restricted.
	// Needs Linux with Landlock. Implies NoNewPrivs. Default: everything may be read.
	AllowRead []string
	// AllowWrite lists the files and directories that the worker may change, make and remove,
	// with what is beneath them; they may be read too. With AllowRead and without
	// AllowWrite it may change nothing. Device nodes cannot be made anywhere.
	// Default: everything may be written, unless AllowRead is set.
	AllowWrite []string
	// Network the worker can reach. Defaults to NetworkHost.
	Network Network
}

// Network is what a worker can reach.
type Network string

const (
	// NetworkHost is the supervisor's network.
	NetworkHost Network = "host"
	// NetworkNone is a network namespace of the worker's own, with no way out and not even a
	// loopback address. Sockets with a path in the file system stay reachable. Where
	// the supervisor may not administer the system, the worker gets a user namespace as well,
	// in which it keeps its user and setuid programs have no effect.
	NetworkNone Network = "none"
)

// DefaultMaxPayload is Config.MaxPayload's default: 64 MiB.
const DefaultMaxPayload = wire.DefaultMaxBody
