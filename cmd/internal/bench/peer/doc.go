// Package peer measures what people use instead of brood: go-plugin's own gRPC
// transport and the process pools of Python. Each does the same work, an echo of the
// same payload, and each is driven the way its own documentation suggests.
//
// A peer that is not installed gives ErrMissing. One goroutine owns a GoPlugin; while it
// measures, goroutines of its own send and receive, and it has waited for
// them when it returns.
package peer
