// Package cgroup gives each worker a control group (Linux, v1, v2 or both): the
// kernel then keeps limits for the worker with all its descendants, counts what they
// use together and ends them together, wherever they went.
//
// A Parent is one supervisor's directory in each hierarchy, below the supervisor's own
// cgroup, so that limits set on the supervisor hold for its workers too. It is locked
// (flock) while its supervisor lives: a directory that can be locked is stale, and the next
// supervisor empties and removes it.
//
// Only files of the cgroup file systems are written. The library that would do it links
// eBPF, D-Bus and protobuf for that, 8 MB of them, and can neither have a process born in a
// cgroup of several hierarchies nor kill without a controller.
//
// Nothing here runs in the background. Parent and Cgroup may be used from any
// goroutine; Enter and Leave belong to the thread that forks.
package cgroup
