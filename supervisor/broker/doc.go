// Package broker is the contract between a supervisor and whatever keeps its tasks: a queue
// that hands each task to one supervisor at a time, under a lease; the results; the dead
// letters. Package memory keeps them in this process, package jetstream in NATS JetStream.
// Package brokertest is the suite that each of them passes.
//
// A lease, not a process, owns a task: it lapses LeaseTime after it was given or last extended,
// and then the task is leased again, to anybody. Whoever held it may go on, but the first
// result that is stored is the only one.
package broker
