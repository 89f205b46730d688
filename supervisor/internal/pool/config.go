package pool

import (
	"time"

	"github.com/brood-run/brood/supervisor/internal/worker"
)

// Config is a pool's settings. All of it is set.
type Config struct {
	Workers int
	// Able is called with false when no worker is up and none can be started, and with true when
	// one is again. It must not block. Nil if nobody wants to know.
	Able func(bool)
	Settings
}

// Settings are what workers are started with and live by. Others may take their place while the
// pool runs: see Reload. All of it is set.
type Settings struct {
	Worker *worker.Config

	MaxTasksPerChild int
	TTL, IdleTTL     time.Duration
	SoftMemoryLimit  uint64 // bytes
	HardMemoryLimit  uint64 // bytes
	Jitter           float64
	// Serves are the tasks that a plugin has to serve for a reload to succeed; empty is any.
	Serves []string

	Tasks Source
}

// startTries is how many starts must fail before a pool that never had a worker says
// that its plugin cannot be started. It keeps trying.
const startTries = 3

// shortLife is the number of tasks below which a worker's wear gives no warning: it is used up
// as soon as it is nearly so. One worker more is then kept warm, so that a task does not
// wait for a process to start.
const shortLife = 10

// firstStarts bounds the starts at the same time before the first worker came up, so that
// a broken plugin does not cost as many processes as there are workers.
const firstStarts = 4
