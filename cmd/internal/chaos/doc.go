// Package chaos is behind `brood chaos`: it runs a workload through the public API of
// package supervisor, as anybody could, has a seeded schedule strike the workers
// meanwhile, and checks afterwards that what brood promises was kept.
//
// The faults are drawn ahead, from the seed alone: the same seed, rate and faults give the same
// strikes at the same moments. Which worker a strike meets is drawn too, among those
// that are up at that moment.
//
// Of a run's goroutines, the caller's enters the results and owns the ledger; one takes them from
// Map, whose own calls the feed; one keeps the book from the supervisor's events; one
// strikes. The book has a lock, what else crosses between them is a channel. All have
// ended when Plan.Run returns, unless the supervisor never answers a task.
package chaos
