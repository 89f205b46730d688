// Package ipc is the contract between a supervisor and its workers: versions,
// descriptors, frame types and the bodies of control frames. PROTOCOL.md beside
// this file is the full text; package wire encodes it, package conn speaks it.
//
// It holds declarations only and belongs to no goroutine.
package ipc
