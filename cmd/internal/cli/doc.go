// Package cli is the brood command: it turns flags, BROOD_ variables and config
// files into the configuration of a supervisor or a server, streams tasks in and
// results out, talks to servers, and says with its exit code how that went. It
// decides nothing about workers or retries.
//
// Of a run's goroutines, the one in runner.run owns the decisions (signals, grace
// period, failed output); runner.stream consumes results and owns the tally;
// Map's own goroutine calls intake; each sink has one writer and each input one
// reader. What crosses between them is a channel, an atomic or a struct with a
// lock of its own.
//
// A server's life is in package serve, and what is said to one in package client. Of
// a submission's goroutines, one reads the input into a batcher, the caller's own
// sends batches and prints, and with --wait four wait for results; run waits for
// all but a read that cannot be interrupted.
package cli
