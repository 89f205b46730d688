// Package cli is the brood command: it turns flags, BROOD_ variables and a config
// file into a supervisor.Config, streams tasks in and results out, and says with
// its exit code how that went. It decides nothing about workers or retries.
//
// Of a run's goroutines, the one in runner.run owns the decisions (signals, grace
// period, failed output); runner.stream consumes results and owns the tally;
// Map's own goroutine calls intake; each sink has one writer and each input one
// reader. What crosses between them is a channel, an atomic or a struct with a
// lock of its own.
package cli
