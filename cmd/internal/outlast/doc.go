// Package outlast holds the tests of what brood promises about tasks that outlast processes: real
// servers with real workers, and real NATS nodes, are killed, stopped and cut off, and afterwards every
// task that was acknowledged has to have its one result.
//
// The tests are callers like any other: they speak JSON to the API and read what their plugin has
// written down about each start of a handler. What is struck, and about when, is drawn from a seed that a
// failure prints; SEED runs the same schedule again. They are short unless KILLS, TASKS, FOR or QUEUED say
// otherwise: see make kills, make cluster and make million.
package outlast
