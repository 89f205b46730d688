// Package feed carries the tasks of one pool from a broker to a dispatcher, and what became of
// them back.
//
// A Feed owns the leases it has taken until each is settled: acked with a result, or given back. Four
// goroutines do that, and Close waits for them: the taker leases as many tasks as the
// workers will do within a moment; the settler stores results, as many at a time as have come
// while it stored the last; the renewer extends what takes longer; the listener hears of
// cancellations. A task that may have been started before without anybody knowing goes
// through the gate: that its next attempt starts is stored before it does.
//
// Feed.mu guards what is held. Feed.hand is held while a job is handed to the dispatcher or
// cancelled there, so that no job is cancelled that has not arrived. Lock order: hand, then
// the dispatcher's lock, then mu.
package feed
