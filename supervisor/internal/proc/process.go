package proc

import (
	"context"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/shirou/gopsutil/v3/common"
	"github.com/shirou/gopsutil/v3/process"
)

// ownProcfs keeps gopsutil from following HOST_PROC: our pids mean something in
// our own /proc only.
var ownProcfs = context.WithValue(context.Background(), common.EnvKey,
	common.EnvMap{common.HostProcEnvKey: "/proc"})

// Process is one started process, the leader of its own process group. All
// methods may be called at any time from any goroutine.
type Process struct {
	pid   int
	stats process.Process // only its Pid is used; it keeps nothing between calls
	done  chan struct{}   // closed by watch once exit is set
	exit  Exit
	first *Process // the init of its PID namespace, ended with it; nil if it has none

	// mu: while it is held and reaped is false, the pid is this process or its
	// zombie, so neither it nor the group's id can belong to anybody else.
	mu     sync.Mutex
	reaped bool

	cage   Cage // nil without one
	handle      // what the operating system needs to watch and signal it
}

// Memory is what a process takes now.
type Memory struct {
	RSS uint64 // resident memory in bytes; current, not a peak
}

func newProcess(pid int, h handle) *Process {
	return &Process{pid: pid, stats: process.Process{Pid: int32(pid)}, done: make(chan struct{}), handle: h}
}

// PID is the process id, and the id of its group.
func (p *Process) PID() int { return p.pid }

// Done is closed when the process has ended and was reaped, its group or PID namespace was killed, and
// its cage is empty.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit says how it ended. Valid after Done.
func (p *Process) Exit() Exit { return p.exit }

// Signal sends a signal to the process itself. os.ErrProcessDone when it is over.
func (p *Process) Signal(sig syscall.Signal) error {
	return p.alive(func() error { return p.signal(p.pid, sig) })
}

// SignalGroup sends a signal to the process and to all it has started, except
// what left its group. os.ErrProcessDone when it is over.
func (p *Process) SignalGroup(sig syscall.Signal) error {
	return p.alive(func() error { return syscall.Kill(-p.pid, sig) })
}

// Kill ends the whole group at once, and all that is in its PID namespace or cage.
// os.ErrProcessDone when it is over.
func (p *Process) Kill() error {
	err := p.SignalGroup(syscall.SIGKILL)
	p.killNamespace()
	if p.cage != nil && err == nil {
		err = p.cage.Kill()
	}
	return err
}

func (p *Process) killNamespace() {
	if p.first != nil {
		_ = p.first.Kill() // it may be over already
	}
}

// Memory reads the resident memory now.
func (p *Process) Memory() (Memory, error) {
	var m Memory
	err := p.alive(func() error {
		info, err := p.stats.MemoryInfoWithContext(ownProcfs)
		if err != nil {
			return fmt.Errorf("cannot read the memory of pid %d: %w", p.pid, err)
		}
		m.RSS = info.RSS
		return nil
	})
	return m, err
}

// Peak reads the highest resident memory so far, in bytes. It costs more than
// Memory: ask for it when it is wanted in a record. Zero where the system does not tell.
func (p *Process) Peak() (uint64, error) {
	var peak uint64
	err := p.alive(func() (err error) {
		peak, err = highWater(p.pid)
		return err
	})
	return peak, err
}

// CPU reads the user and system time used so far.
func (p *Process) CPU() (time.Duration, error) {
	var d time.Duration
	err := p.alive(func() error {
		t, err := p.stats.TimesWithContext(ownProcfs)
		if err != nil {
			return fmt.Errorf("cannot read the CPU time of pid %d: %w", p.pid, err)
		}
		d = time.Duration((t.User + t.System) * float64(time.Second))
		return nil
	})
	return d, err
}

// alive runs f while the pid is certainly this process.
func (p *Process) alive(f func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return os.ErrProcessDone
	}
	return f()
}

// watch waits for the process to end, kills what is left of its group, reaps it
// and tells. Run by the Spawner in a goroutine of its own.
func (p *Process) watch() {
	p.awaitEnd()
	p.mu.Lock()
	p.exit = p.reap()
	p.reaped = true
	p.mu.Unlock()
	p.release()
	if p.first != nil {
		p.killNamespace()
		<-p.first.Done() // the kernel lets it go when everybody else is gone
	}
	p.empty()
}
