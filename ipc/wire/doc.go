// Package wire turns frames into bytes and back. It checks every length against
// a limit before it allocates, keeps no state but a read buffer, and uses the
// standard library alone. A Reader belongs to one goroutine.
package wire
