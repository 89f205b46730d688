//go:build linux && !amd64 && !arm64

package proc

import "debug/elf"

// initCode is not written for this architecture.
func initCode() (string, elf.Machine) { return "", elf.EM_NONE }
