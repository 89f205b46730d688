//go:build unix && !linux

package proc

import "errors"

// Scratch does not exist here.
type Scratch struct{}

// NewScratch says so.
func NewScratch() (*Scratch, error) { return nil, errors.New("there are no detached mounts here") }

// Path is empty.
func (*Scratch) Path() string { return "" }

// Close does nothing.
func (*Scratch) Close() {}
