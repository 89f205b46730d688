//go:build !linux

package worker

import "os"

// newPipe makes a pipe between us and a worker.
func newPipe(d direction) (ours, theirs *os.File, err error) {
	r, w, err := os.Pipe()
	if d == toWorker {
		return w, r, err
	}
	return r, w, err
}

func widenPipe(uintptr) {}
