package main

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

// output reads what a command prints on the goroutine that waits for it, in one system call
// for both streams and its end. Goroutines of their own would wake a thread for each.
type output struct {
	poll [3]pollFd // stdout, stderr, the command; a negative fd is not looked at
	into [2]*capture
	buf  [16 << 10]byte
}

// pollFd is the kernel's struct pollfd.
type pollFd struct {
	fd              int32
	events, revents int16
}

const pollIn = 0x1

// lookAgain is how often a command is asked whether it has ended where no pidfd tells.
const lookAgain = 10 * time.Millisecond

// outputPipe makes a pipe that blocks: it is only read when there is something to read, so
// that the runtime's poller need not know it.
func outputPipe() (r, w *os.File, err error) {
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	return os.NewFile(uintptr(fds[0]), "|0"), os.NewFile(uintptr(fds[1]), "|1"), nil
}

func (s *streams) beginOutput(out *outcome, p *process) {
	s.into = [2]*capture{&out.stdout, &out.stderr}
	for i, fd := range [...]int{int(s.stdoutR.Fd()), int(s.stderrR.Fd()), p.pidfd} {
		s.poll[i] = pollFd{fd: int32(fd), events: pollIn}
	}
}

// awaitExit reads until p has ended, without reaping it: until it is reaped, its
// number, and so its group's, belongs to nobody else.
func (s *streams) awaitExit(p *process) {
	wait := time.Duration(-1)
	if p.pidfd < 0 {
		wait = lookAgain
	}
	for s.poll[2].revents == 0 && (p.pidfd >= 0 || !p.hasEnded()) {
		s.read(wait)
	}
	s.poll[2].fd = -1
}

// drainOutput reads until both streams have ended or the deadline has come.
func (s *streams) drainOutput(deadline time.Time) {
	for s.poll[0].fd >= 0 || s.poll[1].fd >= 0 {
		left := time.Until(deadline)
		if left <= 0 {
			return
		}
		s.read(left)
	}
}

// read waits until there is something to know, for at most d unless that is negative, and
// takes what was printed.
func (o *output) read(d time.Duration) {
	if !o.await(d) {
		return
	}
	for i, c := range o.into {
		p := &o.poll[i]
		if p.revents == 0 {
			continue
		}
		n, err := syscall.Read(int(p.fd), o.buf[:])
		switch {
		case n > 0:
			c.Write(o.buf[:n])
		case err != syscall.EINTR:
			p.fd, p.revents = -1, 0
		}
	}
}

// await says whether there is something to know.
func (o *output) await(d time.Duration) bool {
	var timeout *syscall.Timespec
	if d >= 0 {
		t := syscall.NsecToTimespec(int64(d))
		timeout = &t
	}
	n, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&o.poll)), uintptr(len(o.poll)),
		uintptr(unsafe.Pointer(timeout)), 0, 0, 0)
	return errno == 0 && n > 0
}
