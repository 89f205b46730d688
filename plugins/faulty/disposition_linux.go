package main

import (
	"syscall"
	"unsafe"
)

// restoreDefault makes the kernel treat a signal as if there were no Go runtime.
// signal.Reset does not do that for the signals the runtime needs itself.
func restoreDefault(s syscall.Signal) {
	var action [4]uintptr // struct sigaction: handler SIG_DFL, no flags, empty mask
	const maskSize = 8
	// An error means SIGKILL or SIGSTOP, whose action is always the default.
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(s),
		uintptr(unsafe.Pointer(&action)), 0, maskSize, 0, 0)
}
