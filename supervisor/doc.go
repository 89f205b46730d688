// Package supervisor runs tasks in isolated worker processes and answers for every
// one of them.
//
// A Supervisor has one or more pools, each the workers of one plugin binary with
// one set of limits. Submit hands in a task; its Handle gives the result. Map
// streams tasks through. A worker may crash, leak, hang or lie: the task that
// did it is retried or dead-lettered with a record of each attempt, the worker is
// replaced, and nothing else notices.
//
// This package composes the rooms below it (dispatch, pool, worker, proc) and owns
// no other state than which pools there are. All methods of Supervisor and
// Handle are safe for concurrent use.
package supervisor
