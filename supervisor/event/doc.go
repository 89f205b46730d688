// Package event holds the facts that brood reports sideways: typed events for
// every step of a task and of a worker, and the Hub that carries them.
//
// A publisher never waits for a reader. Each subscriber has a bounded buffer of
// its own; what does not fit is dropped and counted for that subscriber alone.
// Hub and Subscription may be used from any goroutine; the package starts none.
package event
