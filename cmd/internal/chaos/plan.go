package chaos

import (
	"cmp"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor"
)

// Plan is what `brood chaos` does.
type Plan struct {
	Pool       supervisor.PoolConfig
	QueueSize  int
	MaxPayload int
	Grace      time.Duration
	Logger     hclog.Logger

	Task     string        // empty if the plugin serves one, or tasks that Faulty does
	Payload  []byte        // of every task; nil makes some up
	Tasks    int           // how many; 0 means as many as the time allows
	Duration time.Duration // feed tasks for so long; 0 means until all are fed
	Rate     float64       // strikes a second
	Seed     uint64        //
	Faults   []Fault       // that can be made with this plugin
	Serves   []string      // tasks of the plugin
}

// Defaults of a pool under attack, where the user has chosen nothing else.
const (
	defaultHeartbeat   = 100 * time.Millisecond
	defaultMissed      = 10
	defaultMemoryLimit = 128 << 20
	// plenty is more attempts and crashes than any schedule can cost a task.
	plenty = 10_000
)

// pool is the user's pool with the defaults of this command.
func (p *Plan) pool() supervisor.PoolConfig {
	c := p.Pool
	c.Isolation = cmp.Or(c.Isolation, supervisor.IsolationGroup)
	c.StartTimeout = cmp.Or(c.StartTimeout, 10*time.Second)
	c.Heartbeat = cmp.Or(c.Heartbeat, defaultHeartbeat)
	c.MissedHeartbeats = cmp.Or(c.MissedHeartbeats, defaultMissed)
	c.MaxAttempts = cmp.Or(c.MaxAttempts, plenty)
	c.MaxCrashes = cmp.Or(c.MaxCrashes, plenty)
	for _, f := range p.Faults {
		if f == OOM {
			c.HardMemoryLimit = cmp.Or(c.HardMemoryLimit, defaultMemoryLimit)
		}
	}
	return c
}

// gap is the shortest time between two strikes of a fault. A stopped worker is found when its
// heartbeats are missed, however long the user wants that to take.
func (p *Plan) gap(f Fault) time.Duration {
	gap := f.by().gap
	if f == Stop {
		c := p.pool()
		gap = max(gap, c.Heartbeat*time.Duration(c.MissedHeartbeats)+time.Second)
	}
	return gap
}

// fastest is how many tasks a second are fed at most, unless a number of tasks and a time are
// given: a quick plugin would be done before anybody is struck.
const fastest = 5000

// pace is the time from one task to the next.
func (p *Plan) pace() time.Duration {
	if p.Tasks > 0 && p.Duration > 0 {
		return p.Duration / time.Duration(p.Tasks)
	}
	return time.Second / fastest
}
