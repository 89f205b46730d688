// Package httpapi serves the API of package broodv1 over HTTP: it checks who asks and how much,
// translates between messages and a supervisor with its broker, and tells probes how the
// server is.
//
// An API is used by the goroutines that net/http starts, one for each request; it starts one
// more for each SubmitStream, which ends before its request does. What they share is guarded
// where it is kept: the counters of waits and streams, the limiters of tokens.
package httpapi
