package supervisor

import (
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

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
	name  string
	cfg   atomic.Pointer[PoolConfig] // in force; written by Start and by reloads, one at a time
	tasks *dispatch.Dispatcher
	pool  *pool.Pool
	feed  *feed.Feed // nil without a broker
}

func (p *plugin) kill() { p.pool.Kill() }

// able hears from the pool whether there is anybody to run tasks.
func (p *plugin) able(able bool) {
	if p.feed != nil {
		p.feed.Able(able)
	}
}

func (s *Supervisor) newPlugin(c *PoolConfig, epoch time.Time) *plugin {
	p := &plugin{name: c.Name}
	p.cfg.Store(c)
	p.tasks = dispatch.New(dispatch.Config{
		Pool: c.Name, Epoch: epoch, QueueSize: s.cfg.QueueSize, ResultLimit: s.cfg.ResultLimit,
		MaxResult: s.cfg.MaxPayload, Workers: c.Workers, Settings: c.tasks(),
		RecordAttempts: s.cfg.RecordAttempts, Logger: s.logger(c), Events: &s.events,
		Demand: func() { p.pool.Demand() },
	})
	p.pool = pool.New(pool.Config{Workers: c.Workers, Able: p.able, Settings: s.settings(c, p.tasks)})
	if s.cfg.Broker != nil {
		p.feed = feed.New(feed.Config{
			Pool: c.Name, Broker: s.cfg.Broker, Tasks: p.tasks, Logger: s.logger(c),
			AtOnce:      func() int { return p.pool.Size() * p.cfg.Load().Slots },
			MaxAttempts: func() int { return p.cfg.Load().MaxAttempts },
		})
	}
	return p
}

func (s *Supervisor) logger(c *PoolConfig) hclog.Logger { return s.cfg.Logger.With("pool", c.Name) }

// tasks are the settings that concern tasks.
func (p *PoolConfig) tasks() dispatch.Settings {
	return dispatch.Settings{
		Slots: p.Slots, Window: p.Window,
		SoftTimeout: p.SoftTimeout, HardTimeout: p.HardTimeout, CancelGrace: p.CancelGrace,
		StallLimit:  p.Heartbeat * time.Duration(p.MissedHeartbeats),
		MaxAttempts: p.MaxAttempts, MaxCrashes: p.MaxCrashes, Declared: len(p.Tasks) > 0,
		Backoff: policy.Backoff{Base: p.BackoffBase, Cap: p.BackoffCap},
	}
}

// settings are those that concern workers.
func (s *Supervisor) settings(c *PoolConfig, tasks *dispatch.Dispatcher) pool.Settings {
	cgroups, shared, watched := s.cage(c)
	return pool.Settings{
		Worker: &worker.Config{
			Pool: c.Name, Path: c.Plugin, Program: worker.NewProgram(c.Plugin, c.checksum()), Args: c.Args, Env: c.Env, ClearEnv: c.ClearEnv, Dir: c.Dir,
			Slots: c.Slots, MaxFrame: s.cfg.MaxPayload + frameOverhead,
			StartTimeout: c.StartTimeout, StopGrace: stopGrace,
			Heartbeat: c.Heartbeat, Missed: c.MissedHeartbeats,
			RecordOutput: s.cfg.RecordAttempts, Limits: c.Limits.internal(),
			Scratch: s.scratch.Path(), PIDNamespace: c.Isolation == IsolationPIDNS, Cgroups: cgroups, Shared: shared,
			Spawner: s.spawner, Reaper: s.reaper, Logger: s.logger(c), Events: &s.events,
		},
		MaxTasksPerChild: c.MaxTasksPerChild,
		TTL:              c.TTL, IdleTTL: c.IdleTTL,
		SoftMemoryLimit: c.SoftMemoryLimit, HardMemoryLimit: watched,
		Serves: c.Tasks, Jitter: max(0, c.RecycleJitter), Tasks: tasks.Source(c.tasks()),
	}
}
