// Command bare is the child process of the limits in `make bench`: the least a Go
// program can be that exits, says that it is up, or sends back what it is sent. It
// has one goroutine and imports next to nothing, because every import costs start time.
package main
