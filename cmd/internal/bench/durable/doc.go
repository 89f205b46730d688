// Package durable measures `brood serve` from outside: the real binary, asked through its API by the
// client that the commands use, and what its broker does alone in this process.
//
// One goroutine owns a Server and calls its methods one after the other. A method may start callers
// of its own and has waited for them when it returns. One goroutine for each Server waits for
// its process; Close and Kill wait for that.
package durable
