//go:build !linux

package bench

import "runtime"

func processor() string { return runtime.GOARCH }

func kernel() string { return runtime.GOOS }
