package memory

import (
	"cmp"
	"time"
)

// Config configures a Broker. Zero fields take their defaults.
type Config struct {
	// LeaseTime is how long a lease lasts unless it is extended. Defaults to 10 s.
	LeaseTime time.Duration
	// QueueSize is how many tasks without a result each pool may hold, leased ones included,
	// before Enqueue says ErrFull. Defaults to 1,000,000.
	QueueSize int
	// ResultTTL is how long a result is kept. Defaults to 24 h.
	ResultTTL time.Duration
	// ResultLimit is how many results are kept; the oldest goes first. Defaults to 100,000.
	ResultLimit int
	// DeadLimit is how many dead letters are kept; the oldest goes first. Defaults to 100,000.
	DeadLimit int
}

func (c Config) withDefaults() Config {
	c.LeaseTime = cmp.Or(c.LeaseTime, 10*time.Second)
	c.QueueSize = cmp.Or(c.QueueSize, 1_000_000)
	c.ResultTTL = cmp.Or(c.ResultTTL, 24*time.Hour)
	c.ResultLimit = cmp.Or(c.ResultLimit, 100_000)
	c.DeadLimit = cmp.Or(c.DeadLimit, 100_000)
	return c
}
