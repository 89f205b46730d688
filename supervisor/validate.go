package supervisor

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/brood-run/brood/supervisor/internal/proc"
)

// validate checks a Config that has its defaults.
func (c *Config) validate() error {
	if err := firstError(
		between("queue_size", c.QueueSize, 1, 100_000_000),
		between("result_limit", c.ResultLimit, 1, 100_000_000),
		between("max_payload", c.MaxPayload, 1, 1<<30),
	); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if len(c.Pools) == 0 {
		return fmt.Errorf("%w: pools: at least one is needed", ErrConfig)
	}
	names, routes := map[string]int{}, map[string]int{}
	for i := range c.Pools {
		p := &c.Pools[i]
		if err := p.validate(); err != nil {
			return fmt.Errorf("%w: pools[%d].%w", ErrConfig, i, err)
		}
		if j, taken := names[p.Name]; taken {
			return fmt.Errorf("%w: pools[%d].name: %q is also the name of pools[%d]", ErrConfig, i, p.Name, j)
		}
		names[p.Name] = i
		if len(c.Pools) > 1 && len(p.Tasks) == 0 {
			return fmt.Errorf("%w: pools[%d].tasks: with several pools each must list the tasks it serves", ErrConfig, i)
		}
		for _, t := range p.Tasks {
			if j, taken := routes[t]; taken {
				return fmt.Errorf("%w: pools[%d].tasks: %q is also served by pools[%d]", ErrConfig, i, t, j)
			}
			routes[t] = i
		}
	}
	return nil
}

func (p *PoolConfig) validate() error {
	if p.Plugin == "" {
		return fmt.Errorf("plugin: the path of an executable is needed")
	}
	if err := firstError(
		between("workers", p.Workers, 1, maxWorkers),
		between("slots", p.Slots, 1, 1024),
		between("window", p.Window, p.Slots, 65_536),
		between("max_tasks_per_child", p.MaxTasksPerChild, 0, 1<<40),
		between("max_attempts", p.MaxAttempts, 1, 65_535),
		between("max_crashes", p.MaxCrashes, 1, 65_535),
		between("missed_heartbeats", p.MissedHeartbeats, 2, 1000),
		between("recycle_jitter", p.RecycleJitter, -1, 0.5),
		between("ttl", p.TTL, 0, forEver),
		between("idle_ttl", p.IdleTTL, 0, forEver),
		between("soft_timeout", p.SoftTimeout, 0, forEver),
		between("hard_timeout", p.HardTimeout, 0, forEver),
		between("start_timeout", p.StartTimeout, 10*time.Millisecond, forEver),
		between("cancel_grace", p.CancelGrace, 0, forEver),
		between("heartbeat", p.Heartbeat, 10*time.Millisecond, time.Hour),
		between("backoff_base", p.BackoffBase, 0, forEver),
		between("backoff_cap", p.BackoffCap, p.BackoffBase, forEver),
	); err != nil {
		return err
	}
	if p.SHA256 != "" && len(p.checksum()) != sha256.Size {
		return fmt.Errorf("sha256: %q is not a SHA-256 checksum, which has 64 hexadecimal digits", p.SHA256)
	}
	if p.HardMemoryLimit > 0 && p.SoftMemoryLimit > p.HardMemoryLimit {
		return fmt.Errorf("soft_memory_limit: %d bytes is above hard_memory_limit, %d", p.SoftMemoryLimit, p.HardMemoryLimit)
	}
	if p.HardTimeout > 0 && p.SoftTimeout > p.HardTimeout {
		return fmt.Errorf("soft_timeout: %v is above hard_timeout, %v", p.SoftTimeout, p.HardTimeout)
	}
	for i, kv := range p.Env {
		if name, _, ok := strings.Cut(kv, "="); !ok || name == "" {
			return fmt.Errorf("env[%d]: %q is not of the form KEY=value", i, kv)
		}
	}
	if err := p.Isolation.validate(); err != nil {
		return err
	}
	if err := p.Limits.validate(); err != nil {
		return fmt.Errorf("limits: %w", err)
	}
	return p.validateShared()
}

func (l Limits) validate() error {
	if l.Network != NetworkHost && l.Network != NetworkNone {
		return fmt.Errorf("network: %q is neither host nor none", string(l.Network))
	}
	if err := l.internal().Validate(); err != nil {
		return err
	}
	if err := l.internal().CheckNetwork(); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	return nil
}

// checksum is SHA256 in bytes, nil if there is none.
func (p *PoolConfig) checksum() []byte {
	sum, err := hex.DecodeString(p.SHA256)
	if err != nil || len(sum) == 0 {
		return nil
	}
	return sum
}

// maxWorkers is how many workers a pool may have.
const maxWorkers = 10_000

const forEver = 100 * 365 * 24 * time.Hour

// between returns an error that names the field unless lo <= v <= hi.
func between[T cmp.Ordered](field string, v, lo, hi T) error {
	if v < lo || v > hi {
		return fmt.Errorf("%s: %v is not within %v to %v", field, v, lo, hi)
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (l Limits) internal() proc.Limits {
	p := proc.Limits{
		Rlimits: l.Rlimits, Nice: l.Nice, User: l.User, Group: l.Group, NoNewPrivs: l.NoNewPrivs,
		AllowRead: l.AllowRead, AllowWrite: l.AllowWrite, NoNetwork: l.Network == NetworkNone,
	}
	if l.OOMScoreAdj != nil {
		p.OOMScoreAdj = *l.OOMScoreAdj
	}
	return p
}
