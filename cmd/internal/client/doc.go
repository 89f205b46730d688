// Package client talks to a brood server: it finds the server, carries the token, repeats
// what may be repeated, and words what went wrong. It knows the API and no command line.
//
// A Client may be used by any goroutine. The package starts none.
package client
