// Package scoreboard is memory that a supervisor shares with one worker, after the
// scoreboard of the Apache web server. Through it the supervisor knows, even of a
// worker that was killed, which task it had entered last and which results it had
// finished, and the worker knows how many bytes it ever printed, which a pipe alone does not tell.
// The worker also counts its beats there, so that a thousand idle ones wake nobody.
//
// Each word has one writing process. On the worker's side Begin and Beat are each called by one
// goroutine at a time; on the supervisor's side the reader of each captured stream
// calls BeginRead and EndRead for that stream. Everything else may be called
// by anybody until Close. Every value read is the other side's claim: clamp it.
package scoreboard
