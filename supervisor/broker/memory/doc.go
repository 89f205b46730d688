// Package memory is the broker of a single process: it keeps tasks, results and dead letters
// in memory, within fixed numbers, and forgets all of them when the process ends.
//
// A Broker has one mutex, which guards everything in it. One goroutine, the clock, looks after
// leases that lapse, delays, expiries and old results; it sleeps until the next one is due. Each
// channel of Notices has a goroutine that feeds it. Close ends these and waits for them. Nothing
// of a caller's is called while the mutex is held.
//
// Time is monotonic: times of a message are turned into durations from now when it comes in, and a
// clock that is set moves none of them afterwards.
//
// A Queue, ordered by priority with aging, first in first out among equals, has no lock of
// its own: it belongs to whoever holds the lock of its Broker or dispatcher.
package memory
