package cgroup

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long an outside process may take before a test fails.
const patience = 20 * time.Second

// layouts are ways in which a machine may have its cgroups, as far as this one can show them.
var layouts = map[string]func(h hierarchy) bool{
	"as mounted":         func(hierarchy) bool { return true },
	"v1 alone":           func(h hierarchy) bool { return !h.v2 },
	"v1 without freezer": func(h hierarchy) bool { return !h.v2 && !h.has(freezer) },
	"v2 alone":           func(h hierarchy) bool { return h.v2 },
}

// inEachLayout skips those that cannot be had here.
func inEachLayout(t *testing.T, test func(t *testing.T, p *Parent)) {
	for name, fits := range layouts {
		t.Run(name, func(t *testing.T) { test(t, openSome(t, fits)) })
	}
}

func openSome(t testing.TB, fits func(hierarchy) bool) *Parent {
	t.Helper()
	found, err := find()
	if err != nil {
		t.Fatal(err)
	}
	p, err := open(slices.DeleteFunc(found, func(h hierarchy) bool { return !fits(h) }))
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(p.Close)
	return p
}

func openAll(t testing.TB) *Parent {
	t.Helper()
	return openSome(t, layouts["as mounted"])
}

// make makes a cgroup, or skips if this machine cannot keep the limits.
func (p *Parent) make(t testing.TB, l Limits) *Cgroup {
	t.Helper()
	if err := p.Supports(l); err != nil {
		t.Skip(err)
	}
	c, err := p.New(strings.ReplaceAll(t.Name(), "/", "-"), l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = c.Close() })
	return c
}

// born starts this binary in another part, inside a cgroup.
func born(c *Cgroup, part string, stdout *os.File) (cmd *exec.Cmd, err error) {
	cmd = exec.Command("/proc/self/exe")
	cmd.Env = []string{helperVar + "=" + part, "GORACE=atexit_sleep_ms=0"}
	cmd.Stdout = stdout
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var fd int
		if fd, err = c.Enter(); err != nil {
			return
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, UseCgroupFD: fd >= 0, CgroupFD: max(fd, 0)}
		err = cmd.Start()
		if e := c.Leave(); e != nil {
			err = e
		}
	}()
	<-done
	return cmd, err
}

// child is a process in a cgroup, and what it prints.
type child struct {
	*exec.Cmd
	out *bufio.Reader
}

func start(t testing.TB, c *Cgroup, part string) child {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd, err := born(c, part, w)
	_ = w.Close()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.SetReadDeadline(time.Now().Add(patience))
	t.Cleanup(func() {
		_ = c.Kill() // it may be over already
		_ = cmd.Wait()
		_ = r.Close()
	})
	return child{cmd, bufio.NewReader(r)}
}

// says reads a line that begins with a word, and returns the rest.
func says(t testing.TB, r *bufio.Reader, word string) string {
	t.Helper()
	line, err := r.ReadString('\n')
	rest, ok := strings.CutPrefix(strings.TrimSpace(line), word)
	if err != nil || !ok {
		t.Fatalf("read %q (%v), want a line with %q", line, err, word)
	}
	return strings.TrimSpace(rest)
}

func saysPID(t testing.TB, r *bufio.Reader, word string) int {
	t.Helper()
	pid, err := strconv.Atoi(says(t, r, word))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// watchDeath returns a function that waits for any process to end. Call it while
// the process is certainly alive.
func watchDeath(t testing.TB, pid int) (wait func()) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatalf("pid %d is gone already: %v", pid, err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return func() {
		t.Helper()
		n, err := ignoringEINTR(func() (int, error) {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience/time.Millisecond))
			if err == unix.EINTR {
				err = syscall.EINTR
			}
			return n, err
		})
		if err != nil || n == 0 {
			t.Fatalf("pid %d lives on (%v)", pid, err)
		}
	}
}

func alive(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(data), ") Z ")
}

// eventually looks at the kernel's figures until what is said of them holds.
func eventually(t testing.TB, holds func() bool) {
	t.Helper()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for late := time.After(patience); !holds(); {
		select {
		case <-look.C:
		case <-late:
			t.Fatal("it never came to pass")
		}
	}
}
