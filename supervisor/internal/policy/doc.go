// Package policy holds brood's decisions as pure arithmetic: how long to wait
// before a retry or a restart, how far to read ahead, which task goes first, when
// to look at a worker's memory again.
//
// It reads no clock, rolls no dice and starts no goroutine: time and randomness
// (a func returning a number in [0, 1), as math/rand/v2's Float64) are passed in.
// Values with state (Score, Window) belong to one goroutine.
package policy
