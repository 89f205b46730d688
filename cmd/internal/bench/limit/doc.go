// Package limit measures what the machine itself can do, without a supervisor: bytes
// through a pair of pipes to a process that sends them back, and processes started.
// No pool of processes can be faster.
//
// One goroutine owns a Pipes and calls its methods one after the other. While one
// measures, each child has a goroutine that writes and one that reads; the
// method has waited for all of them when it returns.
package limit
