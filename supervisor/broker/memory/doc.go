// Package memory is the broker of a single process: a queue in memory, ordered by
// priority with aging, first in first out among equals.
//
// A Queue has no lock of its own: it belongs to whoever holds the lock of its
// dispatcher.
package memory
