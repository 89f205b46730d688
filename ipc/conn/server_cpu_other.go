//go:build !linux

package conn

import "time"

// processCPU is not measured here: 0 means unknown.
func processCPU() time.Duration { return 0 }
