package event

import (
	"fmt"
	"time"
)

// PoolDegraded: a pool cannot keep its workers up.
type PoolDegraded struct {
	Time   time.Time
	Pool   string
	Reason string
}

// When implements Event.
func (e PoolDegraded) When() time.Time { return e.Time }

// Kind implements Event.
func (PoolDegraded) Kind() string { return "pool_degraded" }

// String implements Event.
func (e PoolDegraded) String() string {
	return fmt.Sprintf("pool %s is degraded: %s", e.Pool, e.Reason)
}

// PoolRecovered: a degraded pool works again.
type PoolRecovered struct {
	Time time.Time
	Pool string
}

// When implements Event.
func (e PoolRecovered) When() time.Time { return e.Time }

// Kind implements Event.
func (PoolRecovered) Kind() string { return "pool_recovered" }

// String implements Event.
func (e PoolRecovered) String() string {
	return fmt.Sprintf("pool %s has recovered", e.Pool)
}
