package cgroup

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// TestMain makes the test binary its own crew: with helperVar set it plays that part
// instead of running tests.
func TestMain(m *testing.M) {
	if part := os.Getenv(helperVar); part != "" {
		play(part)
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

const helperVar = "CGROUP_HELPER"

// play runs in a process started by a test. Whatever goes wrong ends up on stdout, where
// the test reads it in place of what it expected.
func play(part string) {
	parts := map[string]func(){
		"sleep":     func() { fmt.Println("ready", os.Getpid()); forever() },
		"daemon":    func() { another("sleep"); forever() },
		"clan":      func() { another("sleep"); another("sleep"); another("sleep"); forever() },
		"bomb":      bomb,
		"eat":       eat,
		"spin":      spin,
		"supervise": supervise,
		"available": func() { fmt.Println("said:", Available()) },
		"read-only": readOnly,
	}
	f, ok := parts[part]
	if !ok {
		fmt.Println("unknown part", part)
		os.Exit(99)
	}
	f()
}

// forever waits for a signal that kills.
func forever() {
	for {
		_ = unix.Pause()
	}
}

// another starts this binary in another part, in a session of its own, and lets it print.
func another(part string) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{helperVar + "=" + part}
	cmd.Stdout = os.Stdout
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		fmt.Println(err)
	}
}

// bomb starts copies of itself until it is not let, and goes on trying.
func bomb() {
	for said := false; ; {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = os.Environ()
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil && !said {
			said = true
			cmd = nil
			fmt.Println("limited", os.Getpid())
		}
	}
}

// eat takes memory until it is stopped.
func eat() {
	for {
		b, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_POPULATE)
		if err != nil {
			fmt.Println(err, len(b))
			return
		}
	}
}

func spin() {
	fmt.Println("ready", os.Getpid())
	for n := 0; n >= 0; n++ { // for some hundred years
	}
}

// supervise makes cgroups with a process that has left its session in each, and is then killed.
func supervise() {
	p, err := Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 3 {
		c, err := p.New("pool-"+strconv.Itoa(i), Limits{})
		if err == nil {
			_, err = born(c, "sleep", os.Stdout)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println("dir", p.branches[0].dir)
	forever()
}

// readOnly asks for cgroups where their file systems cannot be written.
func readOnly() {
	found, err := find()
	if err == nil {
		err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	}
	for _, h := range found {
		at := h.home
		for !exists(at, "release_agent") && exists(at+"/..", "cgroup.procs") {
			at += "/.."
		}
		if e := unix.Mount("", at, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); e != nil {
			err = fmt.Errorf("%s: %w", at, e)
		}
	}
	fmt.Println("said:", Available(), err)
}
