package supervisor

import (
	"cmp"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
)

// withDefaults returns a copy in which every field is set.
func (c Config) withDefaults() Config {
	c.QueueSize = cmp.Or(c.QueueSize, 1024)
	c.ResultLimit = cmp.Or(c.ResultLimit, 100_000)
	c.MaxPayload = cmp.Or(c.MaxPayload, DefaultMaxPayload)
	c.GracePeriod = cmp.Or(c.GracePeriod, 30*time.Second)
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	c.Pools = slices.Clone(c.Pools)
	for i := range c.Pools {
		c.Pools[i] = c.Pools[i].withDefaults()
	}
	return c
}

func (p PoolConfig) withDefaults() PoolConfig {
	if p.Name == "" {
		base := filepath.Base(p.Plugin)
		p.Name = strings.TrimSuffix(base, filepath.Ext(base))
	}
	p.Workers = cmp.Or(p.Workers, runtime.NumCPU())
	p.Slots = cmp.Or(p.Slots, 1)
	p.Window = cmp.Or(p.Window, max(256, p.Slots))
	p.RecycleJitter = cmp.Or(p.RecycleJitter, 0.1)
	p.StartTimeout = cmp.Or(p.StartTimeout, 10*time.Second)
	p.CancelGrace = cmp.Or(p.CancelGrace, 5*time.Second)
	p.Heartbeat = cmp.Or(p.Heartbeat, time.Second)
	p.MissedHeartbeats = cmp.Or(p.MissedHeartbeats, 10)
	p.MaxAttempts = cmp.Or(p.MaxAttempts, 3)
	p.MaxCrashes = cmp.Or(p.MaxCrashes, 2)
	p.BackoffBase = cmp.Or(p.BackoffBase, time.Second)
	p.BackoffCap = cmp.Or(p.BackoffCap, 5*time.Minute)
	p.Isolation = cmp.Or(p.Isolation, IsolationGroup)
	p.Limits.Network = cmp.Or(p.Limits.Network, NetworkHost)
	if p.Limits.OOMScoreAdj == nil {
		score := 500
		p.Limits.OOMScoreAdj = &score
	}
	return p
}
