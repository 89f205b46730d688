package proc

import (
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// handle watches a process through its pidfd.
type handle struct {
	pidfd *os.File // non-blocking, known to Go's netpoller; nil on kernels without pidfds
	floor uint64   // the supervisor's own peak memory when the process was started
}

func newHandle(pidfd int) handle {
	h := handle{floor: ownPeak()}
	if pidfd < 0 {
		return h
	}
	// Only a non-blocking descriptor is handed to the netpoller. Should this fail,
	// awaitEnd finds the descriptor not pollable and blocks instead.
	_ = syscall.SetNonblock(pidfd, true)
	h.pidfd = os.NewFile(uintptr(pidfd), "pidfd")
	return h
}

// ownPeak is what a child's peak starts at, asked in the way that costs least: it is needed
// for every process. Zero when unknown, which merely lets Exit.MaxRSS be too large.
func ownPeak() uint64 {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		return 0
	}
	return uint64(ru.Maxrss) << 10
}

// signal goes through the pidfd, which stays true to the process even if foreign
// code had reaped it behind our back.
func (h *handle) signal(pid int, sig syscall.Signal) error {
	if h.pidfd == nil {
		return syscall.Kill(pid, sig)
	}
	conn, err := h.pidfd.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	if err := conn.Control(func(fd uintptr) { sent = unix.PidfdSendSignal(int(fd), sig, nil, 0) }); err != nil {
		return err
	}
	if sent == unix.ESRCH {
		return os.ErrProcessDone
	}
	return sent
}

// awaitEnd returns when the process is a zombie. It blocks a goroutine, not a
// thread: a pidfd becomes readable when its process ends.
func (p *Process) awaitEnd() {
	if p.pidfd != nil && p.poll() == nil {
		return
	}
	_ = ignoringEINTR(func() error {
		return unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
	})
}

func (p *Process) poll() error {
	conn, err := p.pidfd.SyscallConn()
	if err != nil {
		return err
	}
	return conn.Read(func(uintptr) bool { return ended(p.pid) })
}

// ended says whether a child of ours has ended, without reaping it.
func ended(pid int) bool {
	var info unix.Siginfo
	err := ignoringEINTR(func() error {
		return unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	})
	// An error means that there is no such child any more. A Siginfo that was
	// not filled in means that there is nothing to report.
	return err != nil || info.Signo != 0
}

// isChild says whether a child of that number has not been reaped yet.
func isChild(pid int) bool {
	return ignoringEINTR(func() error {
		return unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	}) == nil
}

// reap kills what is left of the group and collects the exit status, in this
// order: the zombie still holds the group's id, so nobody else can be hit.
// Called once, with mu held.
func (p *Process) reap() Exit {
	if !isChild(p.pid) {
		return Exit{Code: -1} // somebody else in this program has reaped it
	}
	_ = syscall.Kill(-p.pid, syscall.SIGKILL) // EPERM: nobody left that we may kill
	var ws syscall.WaitStatus
	var ru syscall.Rusage
	err := ignoringEINTR(func() error {
		_, err := syscall.Wait4(p.pid, &ws, 0, &ru)
		return err
	})
	if err != nil {
		return Exit{Code: -1}
	}
	e := newExit(ws, time.Duration(ru.Utime.Nano()+ru.Stime.Nano()))
	if peak := uint64(ru.Maxrss) << 10; peak > p.floor+rssSlack {
		e.MaxRSS = peak
	}
	return e
}

// rssSlack: between fork and exec a child has its parent's memory, and its peak
// starts there. The kernel's counters are exact only to some pages per CPU.
const rssSlack = 1 << 20

// Stopped says that the process does nothing until somebody lets it go on: a signal or a
// debugger has stopped it.
func (p *Process) Stopped() bool {
	stopped := false
	_ = p.alive(func() error {
		s, err := readStat("/proc", p.pid)
		stopped = err == nil && (s.state == 'T' || s.state == 't')
		return err
	})
	return stopped
}

func (h *handle) release() {
	if h.pidfd != nil {
		_ = h.pidfd.Close() // nothing was written to it
	}
}

// highWater reads VmHWM.
func highWater(pid int) (uint64, error) {
	kib, err := statusField("/proc/"+strconv.Itoa(pid)+"/status", "VmHWM:")
	return kib << 10, err
}

func ignoringEINTR(f func() error) error {
	for {
		if err := f(); err != syscall.EINTR {
			return err
		}
	}
}
