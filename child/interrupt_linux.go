//go:build amd64 || arm64

package child

import (
	"syscall"
	"unsafe"
)

// surviveInterrupt lets Ctrl-C in a terminal pass this process by. Asking the runtime with
// signal.Notify would start two threads in every worker, for a signal that nobody reads. Here the
// kernel drops it, and because the runtime goes on taking the signal for its own, it resets it
// in the processes that os/exec starts: they do not ignore what their parent does.
func surviveInterrupt() {
	action := struct{ handler, flags, restorer, mask uintptr }{handler: sigIgn}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGINT),
		uintptr(unsafe.Pointer(&action)), 0, unsafe.Sizeof(action.mask), 0, 0)
	if errno != 0 {
		notifyInterrupt()
	}
}

const sigIgn = 1 // SIG_IGN, which package syscall does not have
