//go:build !linux

package chaos

import (
	"errors"
	"syscall"
)

// Supported says whether this system has what the command needs.
func Supported() error {
	return errors.New("chaos needs Linux: only there can a process be signalled, and looked for afterwards, beyond all doubt")
}

func send(*inmate, string, syscall.Signal) error { return Supported() }

func awaitEnd(int, int) bool { return false }
