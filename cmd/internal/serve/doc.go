// Package serve runs a server as a daemon: it opens the broker, starts the server, follows
// signals, tells the service manager how it stands, and closes everything in order. What is served
// is decided by its caller.
//
// The goroutine that calls Run owns the decisions. One more carries out a reload, one at a time, and
// one a stop; Run waits for both.
package serve
