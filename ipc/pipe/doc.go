// Package pipe reads and writes ends of pipes that do not block, without telling Go's
// scheduler about each call.
//
// A system call that may wait lets the scheduler give its processor away, which costs
// little, unless the process was asleep: then it wakes a thread of the runtime, and with it
// another processor, for a call that takes a microsecond. Between two processes that
// answer each other that doubles the time of a round trip.
//
// The price is that the runtime's monitor may be asleep when a goroutine goes on after
// such a call; see WakeMonitor.
//
// An End may be read by one goroutine at a time and written by one at a time.
package pipe
