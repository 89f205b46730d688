package conn

import (
	"syscall"
	"time"
	"unsafe"
)

const clockProcessCPU = 2

// processCPU is the CPU time this process has spent, all threads together.
func processCPU() time.Duration {
	var ts syscall.Timespec
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockProcessCPU, uintptr(unsafe.Pointer(&ts)), 0); errno != 0 {
		return 0
	}
	return time.Duration(ts.Nano())
}
