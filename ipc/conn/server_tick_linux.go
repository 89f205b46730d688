package conn

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

// clockMonotonic is CLOCK_MONOTONIC, which package syscall does not have.
const clockMonotonic = 1

// ticks is runtimeTicks at a third of its price: a timer of the Go runtime wakes its monitor
// and a second thread as well, one of the kernel's the one thread that waits for it. In an
// idle worker, of which there may be a thousand, nothing else ever happens.
func (s *Server) ticks(every time.Duration) func() bool {
	wait, err := s.kernelTicks(every)
	if err != nil {
		return s.runtimeTicks(every)
	}
	return wait
}

func (s *Server) kernelTicks(every time.Duration) (wait func() bool, err error) {
	fd, _, errno := syscall.RawSyscall(syscall.SYS_TIMERFD_CREATE, clockMonotonic, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if errno != 0 {
		return nil, errno
	}
	f := os.NewFile(fd, "heartbeat")
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	period := syscall.NsecToTimespec(int64(every))
	spec := struct{ interval, first syscall.Timespec }{period, period}
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0); errno != 0 {
		return nil, errno
	}
	// Only a file that the poller waits for takes a deadline, even none.
	if err := f.SetReadDeadline(time.Time{}); err != nil {
		return nil, err
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	s.loops.Go(func() { <-s.gone; f.Close() })
	var expired uint64
	ticked := func(fd uintptr) bool {
		// It never blocks, so the scheduler, and with it the monitor, need not know.
		_, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(&expired)), unsafe.Sizeof(expired))
		return errno != syscall.EAGAIN
	}
	return func() bool { return raw.Read(ticked) == nil }, nil
}
