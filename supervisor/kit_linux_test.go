package supervisor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// children are the pids of the processes, dead or alive, that a process answers for.
func children(t testing.TB, pid int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var all []int
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		var child, parent int
		var state string
		end := strings.LastIndexByte(string(b), ')') // a name may hold anything
		fmt.Sscan(string(b), &child)
		fmt.Sscan(string(b[end+1:]), &state, &parent)
		if parent == pid {
			all = append(all, child)
		}
	}
	return all
}

func noChildren(t testing.TB) {
	t.Helper()
	for _, pid := range children(t, os.Getpid()) {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		t.Errorf("process %d is left: %q", pid, name)
	}
}

// alive says whether there is a process of that number that has not ended.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	state := b[strings.LastIndexByte(string(b), ')')+2]
	return state != 'Z' && state != 'X'
}

// gone waits until a process that is nobody's child here has ended.
func gone(t testing.TB, pid int) {
	t.Helper()
	eventually(t, fmt.Sprintf("process %d ends", pid), func() bool { return !alive(pid) })
}

// eventually looks at a foreign process until what is said of it holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for late := time.After(10 * time.Second); !holds(); {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("in vain waited for 10 s until %s", what)
		}
	}
}

// adopting has orphans go elsewhere again when the test is over.
func adopting(t testing.TB) {
	t.Helper()
	t.Cleanup(func() {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); err != nil {
			t.Error(err)
		}
	})
}

func kill(t testing.TB, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
		t.Fatalf("kill %d: %v", pid, err)
	}
}

func openFiles(t testing.TB) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(fds)
}
