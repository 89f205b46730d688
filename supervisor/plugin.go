package supervisor

import (
	"time"

	"github.com/brood-run/brood/supervisor/internal/dispatch"
	"github.com/brood-run/brood/supervisor/internal/feed"
	"github.com/brood-run/brood/supervisor/internal/policy"
	"github.com/brood-run/brood/supervisor/internal/pool"
	"github.com/brood-run/brood/supervisor/internal/worker"
)

// stopGrace is how long an empty worker may take to run its stop hooks and leave.
const stopGrace = 5 * time.Second

// frameOverhead is what a frame holds besides a payload: ids, metadata, messages, stacks.
const frameOverhead = 4 << 20

// plugin is a pool with the dispatcher of its tasks.
type plugin struct {
	cfg   *PoolConfig
	tasks *dispatch.Dispatcher
	pool  *pool.Pool
	feed  *feed.Feed // nil without a broker
}

func (p *plugin) kill() { p.pool.Kill() }

func (s *Supervisor) newPlugin(c *PoolConfig, epoch time.Time) *plugin {
	p := &plugin{cfg: c}
	cgroups, shared, watched := s.cage(c)
	logger := s.cfg.Logger.With("pool", c.Name)
	p.tasks = dispatch.New(dispatch.Config{
		Pool: c.Name, Epoch: epoch, QueueSize: s.cfg.QueueSize, ResultLimit: s.cfg.ResultLimit,
		Workers: c.Workers, Slots: c.Slots, Window: c.Window,
		SoftTimeout: c.SoftTimeout, HardTimeout: c.HardTimeout, CancelGrace: c.CancelGrace,
		StallLimit:  c.Heartbeat * time.Duration(c.MissedHeartbeats),
		MaxAttempts: c.MaxAttempts, MaxCrashes: c.MaxCrashes,
		Backoff:        policy.Backoff{Base: c.BackoffBase, Cap: c.BackoffCap},
		RecordAttempts: s.cfg.RecordAttempts, Logger: logger, Events: &s.events,
		Demand: func() { p.pool.Demand() },
	})
	p.pool = pool.New(pool.Config{
		Worker: &worker.Config{
			Pool: c.Name, Path: c.Plugin, Program: worker.NewProgram(c.Plugin, c.checksum()), Args: c.Args, Env: c.Env, ClearEnv: c.ClearEnv, Dir: c.Dir,
			Slots: c.Slots, MaxFrame: s.cfg.MaxPayload + frameOverhead,
			StartTimeout: c.StartTimeout, StopGrace: stopGrace,
			Heartbeat: c.Heartbeat, Missed: c.MissedHeartbeats,
			RecordOutput: s.cfg.RecordAttempts, Limits: c.Limits.internal(),
			Scratch: s.scratch.Path(), PIDNamespace: c.Isolation == IsolationPIDNS, Cgroups: cgroups, Shared: shared,
			Spawner: s.spawner, Reaper: s.reaper, Logger: logger, Events: &s.events,
		},
		Workers: c.Workers, MaxTasksPerChild: c.MaxTasksPerChild,
		TTL: c.TTL, IdleTTL: c.IdleTTL,
		SoftMemoryLimit: c.SoftMemoryLimit, HardMemoryLimit: watched,
		Jitter: max(0, c.RecycleJitter), Tasks: p.tasks,
	})
	if s.cfg.Broker != nil {
		p.feed = feed.New(feed.Config{
			Pool: c.Name, Broker: s.cfg.Broker, Tasks: p.tasks, MaxAttempts: c.MaxAttempts, Logger: logger,
			AtOnce: func() int { return c.Workers * c.Slots },
		})
	}
	return p
}
