package scoreboard

import (
	"fmt"
	"syscall"
	"unsafe"
)

// unreadPoll watches whether bytes wait in pipes, through read ends of its own. They are
// never read from, and no process started here inherits them.
type unreadPoll struct {
	epoll int
	ends  []int
}

// pollUnread returns nil where the pipes cannot be opened again, for example as another user
// than the one who made them.
func pollUnread(fds ...uintptr) *unreadPoll {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	p := &unreadPoll{epoll: epoll}
	for _, fd := range fds {
		end, err := syscall.Open(fmt.Sprintf("/proc/self/fd/%d", fd), syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
		if err == nil {
			p.ends = append(p.ends, end)
			err = syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, end, &syscall.EpollEvent{Events: syscall.EPOLLIN})
		}
		if err != nil {
			p.close()
			return nil
		}
	}
	return p
}

// empty says that nothing waits in any of the pipes. The call never blocks, so it need not
// tell the scheduler.
func (p *unreadPoll) empty() bool {
	if p == nil {
		return false
	}
	var event syscall.EpollEvent
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(p.epoll), uintptr(unsafe.Pointer(&event)), 1, 0, 0, 0)
	return n == 0 && errno == 0
}

func (p *unreadPoll) close() {
	if p == nil {
		return
	}
	for _, fd := range append(p.ends, p.epoll) {
		_ = syscall.Close(fd) // nothing was written to it
	}
}
