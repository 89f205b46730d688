// Package proc is brood's knowledge of the operating system: it starts processes
// with their limits, signals and reaps them, measures them, explains why a binary
// cannot be started and finds what a dead worker left behind. It is the only
// room that knows gopsutil.
//
// Each Process is watched by one goroutine of its Spawner; that goroutine alone
// reaps it. Spawner, Process and Reaper may be used from any goroutine. Nobody else
// in this program may wait for "any child" (wait4 with -1): it would take the exit
// status away from its owner.
//
// Everything here is complete on Linux. Other Unix systems get processes and
// process groups, and errors for limits they do not have.
package proc
