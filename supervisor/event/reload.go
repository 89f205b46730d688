package event

import (
	"fmt"
	"time"
)

// ReloadStarted: a pool's workers are replaced, one by one, by others.
type ReloadStarted struct {
	Time    time.Time
	Pool    string
	Workers int // how many there are to be replaced
}

// When implements Event.
func (e ReloadStarted) When() time.Time { return e.Time }

// Kind implements Event.
func (ReloadStarted) Kind() string { return "reload_started" }

// String implements Event.
func (e ReloadStarted) String() string {
	return fmt.Sprintf("pool %s is reloaded: its %d workers are replaced one by one", e.Pool, e.Workers)
}

// ReloadFinished: a pool's new settings are in force. Workers of the old ones may still finish
// what they run.
type ReloadFinished struct {
	Time    time.Time
	Pool    string
	Workers int // how many there are to be now
}

// When implements Event.
func (e ReloadFinished) When() time.Time { return e.Time }

// Kind implements Event.
func (ReloadFinished) Kind() string { return "reload_finished" }

// String implements Event.
func (e ReloadFinished) String() string {
	return fmt.Sprintf("pool %s was reloaded, to have %d workers", e.Pool, e.Workers)
}

// ReloadRolledBack: workers of the new settings could not be started, and the pool goes on with the
// old ones.
type ReloadRolledBack struct {
	Time   time.Time
	Pool   string
	Reason string
}

// When implements Event.
func (e ReloadRolledBack) When() time.Time { return e.Time }

// Kind implements Event.
func (ReloadRolledBack) Kind() string { return "reload_rolled_back" }

// String implements Event.
func (e ReloadRolledBack) String() string {
	return fmt.Sprintf("the reload of pool %s was rolled back: %s", e.Pool, e.Reason)
}
