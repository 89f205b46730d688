package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"unsafe"
)

// Numbers from the kernel's headers that package syscall does not carry.
const (
	prSetChildSubreaper = 36
	idAll, idPID        = 0, 1
)

// generations bounds how often a sweep looks again: each kill makes the children
// of the killed ours, and a command may fork as fast as we kill.
const generations = 64

// adoptOrphans makes this process the parent of what its commands leave behind,
// so that it can be found however well it hid from its process group.
func adoptOrphans() error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0); errno != 0 {
		return fmt.Errorf("the worker cannot become a child subreaper: %w", errno)
	}
	return nil
}

// groupAttr gives a command its own process group and has the kernel kill it
// with the thread that started it.
func groupAttr(pidfd *int) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, PidFD: pidfd}
}

// hasEnded says whether p is only waiting to be reaped.
func (p *process) hasEnded() bool {
	ended, err := waitid(idPID, p.Pid, syscall.WEXITED|syscall.WNOHANG|syscall.WNOWAIT)
	return ended || err != nil // reap reports what may be wrong
}

// reap takes p's exit status.
func (p *process) reap() (err error) {
	p.state, err = p.Wait()
	if p.pidfd >= 0 {
		_ = syscall.Close(p.pidfd) // nothing was written to it
	}
	return err
}

// sweep kills and reaps the processes that outlived p. The caller holds mu and has
// taken p out of the table.
func (r *runner) sweep(p *process) {
	for range generations {
		if len(r.running) == 0 && !anyChild() {
			return // the usual case, told by one system call
		}
		if !r.sweepChildren(p) {
			return
		}
	}
}

// sweepChildren handles our direct children and says whether it killed any: those
// may have left us children of their own.
func (r *runner) sweepChildren(p *process) (killed bool) {
	for _, pid := range children() {
		if _, ok := r.running[pid]; ok {
			continue
		}
		// Nobody else reaps our children, so the number cannot have changed hands.
		if reaped, _ := syscall.Wait4(pid, nil, syscall.WNOHANG, nil); reaped == pid {
			continue
		}
		if len(r.running) > 0 && !p.began(pid) {
			continue // another command's, or nobody can tell yet
		}
		if syscall.Kill(pid, syscall.SIGKILL) != nil {
			continue // a setuid program: not ours to kill, and not to be waited for
		}
		_, _ = syscall.Wait4(pid, nil, 0, nil) // a child that was killed
		killed = true
	}
	return killed
}

// began says whether a process comes from p: it is still in its group, or was born
// with its marker. One that shed both is found when no other command runs.
func (p *process) began(pid int) bool {
	if group, err := syscall.Getpgid(pid); err == nil && group == p.Pid {
		return true
	}
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return false
	}
	mark := []byte(markerKey + "=" + p.marker)
	return slices.ContainsFunc(bytes.Split(environ, []byte{0}), func(kv []byte) bool { return bytes.Equal(kv, mark) })
}

// anyChild says whether this process has children, dead or alive.
func anyChild() bool {
	_, err := waitid(idAll, 0, syscall.WEXITED|syscall.WNOHANG|syscall.WNOWAIT)
	return !errors.Is(err, syscall.ECHILD)
}

// waitid is the system call that package syscall lacks: it can look without reaping. It says
// whether there was anything to see.
func waitid(kind, id, options int) (bool, error) {
	var info [128 / 4]int32 // siginfo_t, which begins with the signal's number
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, uintptr(kind), uintptr(id),
			uintptr(unsafe.Pointer(&info)), uintptr(options), 0, 0)
		switch errno {
		case 0:
			return info[0] != 0, nil
		case syscall.EINTR:
		default:
			return false, errno
		}
	}
}
