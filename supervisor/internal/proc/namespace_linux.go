package proc

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespaces adds to sys the namespaces that the process is to begin in, and a user namespace
// if there is no other way to them.
func (c *Command) namespaces(sys *syscall.SysProcAttr) {
	if c.Limits.NoNetwork {
		sys.Cloneflags |= syscall.CLONE_NEWNET
	}
	if !c.PIDNamespace && !c.Limits.NoNetwork {
		return
	}
	if !Privileged() {
		sys.Cloneflags |= c.pidFlag() | syscall.CLONE_NEWUSER
		keepUser(sys)
		return
	}
	if c.PIDNamespace {
		// It is put beside the init of its namespace, and dies with that one. Go takes a parent
		// that is not visible from in there for one that has died.
		sys.Pdeathsig = 0
	}
}

func (c *Command) pidFlag() uintptr {
	if c.PIDNamespace {
		return syscall.CLONE_NEWPID
	}
	return 0
}

// keepUser has a process in a new user namespace be who it was: files have the same owners.
func keepUser(sys *syscall.SysProcAttr) {
	sys.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Geteuid(), HostID: os.Geteuid(), Size: 1}}
	sys.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getegid(), HostID: os.Getegid(), Size: 1}}
}

// mapsUsers says whether the process gets a user namespace, whose maps the thread that starts it has to write.
func (c *Command) mapsUsers() bool {
	return (c.Limits.NoNetwork || c.PIDNamespace) && !Privileged()
}

// Privileged says that we may make and enter namespaces of any kind.
func Privileged() bool {
	var data [2]unix.CapUserData // version 3 has two
	err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &data[0])
	return err == nil && data[0].Effective&(1<<unix.CAP_SYS_ADMIN) != 0
}

// CheckNetwork says whether a process can be started without a network here. It finds out by doing it.
func (l Limits) CheckNetwork() error {
	if !l.NoNetwork {
		return nil
	}
	c := Command{Limits: l}
	if c.mapsUsers() && (l.User != "" || l.Group != "") {
		return errors.New("a worker cannot run as another user without a network: this needs CAP_SYS_ADMIN")
	}
	sys := &syscall.SysProcAttr{}
	c.namespaces(sys)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// There is no program of that name, which is found out last of all.
	_, _, err := syscall.StartProcess("", []string{"probe"}, &syscall.ProcAttr{Sys: sys})
	switch {
	case errors.Is(err, syscall.ENOENT):
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EUSERS):
		return fmt.Errorf("no more namespaces are permitted here (see /proc/sys/user/max_net_namespaces): %w", err)
	case c.mapsUsers():
		return fmt.Errorf("this needs CAP_SYS_ADMIN, or user namespaces open to everybody, which this machine or container forbids: %w", err)
	}
	return fmt.Errorf("this kernel gives no network namespaces: %w", err)
}
