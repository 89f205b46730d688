package cgroup

import "time"

// Limits are kept by the kernel for all processes of a cgroup together. Zero means none.
type Limits struct {
	Memory uint64  // bytes, with the page cache that cannot be given back
	Pids   int     // processes and threads
	CPU    float64 // processors: 1.5 is one and a half
}

// The controllers that keep them.
const (
	memory  = "memory"
	pids    = "pids"
	cpu     = "cpu"
	freezer = "freezer" // keeps none, but stops processes while they are killed
)

// Events are what the kernel has counted.
type Events struct {
	OOMKills int           // processes inside that were killed for lack of memory
	AtLimit  bool          // the cgroup's own memory limit was reached
	Peak     uint64        // highest memory, with the page cache; zero if the kernel does not tell
	CPU      time.Duration // of all processes there ever were
}
