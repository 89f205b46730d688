package cgroup

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// supervisor starts a supervisor that is nobody's here.
func supervisor(t *testing.T) (cmd *exec.Cmd, dir string, workers []int) {
	t.Helper()
	openAll(t) // or skip
	cmd = exec.Command("/proc/self/exe")
	cmd.Env = []string{helperVar + "=supervise"}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait(); _ = r.Close() })
	_ = r.SetReadDeadline(time.Now().Add(patience))
	out := bufio.NewReader(r)
	for len(workers) < 3 || dir == "" {
		line, err := out.ReadString('\n')
		if err != nil {
			t.Fatalf("the supervisor said %q, %v", line, err)
		}
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "dir":
			dir = rest
		case "ready":
			workers = append(workers, saysPID(t, bufio.NewReader(strings.NewReader(line)), "ready"))
		default:
			t.Fatalf("the supervisor said %q", line)
		}
	}
	return cmd, dir, workers
}

func TestKilledSupervisorsCgroupsAreSwept(t *testing.T) {
	cmd, dir, workers := supervisor(t)
	var dead []func()
	for _, pid := range workers {
		dead = append(dead, watchDeath(t, pid))
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	for _, pid := range workers {
		if !alive(pid) {
			t.Errorf("process %d died too early to show anything", pid)
		}
	}
	openAll(t)
	for _, wait := range dead {
		wait()
	}
	everywhere, err := filepath.Glob("/sys/fs/cgroup/*/" + filepath.Base(dir))
	if err != nil || len(everywhere) > 0 || exists(dir, "cgroup.procs") {
		t.Errorf("%v are left, %v", everywhere, err)
	}
}

func TestLiveSupervisorsCgroupsAreNotTouched(t *testing.T) {
	_, dir, workers := supervisor(t)
	for range 3 {
		openAll(t).Close()
	}
	for _, pid := range workers {
		if !alive(pid) || !holds(filepath.Join(dir, "pool-0"), pid) && !holds(filepath.Join(dir, "pool-1"), pid) && !holds(filepath.Join(dir, "pool-2"), pid) {
			t.Errorf("process %d was touched", pid)
		}
	}
}

// Somebody may call a cgroup of his brood-something; it has no lock either.
func TestSimilarNamesAreNotTouched(t *testing.T) {
	p := openAll(t)
	dir := filepath.Join(p.branches[0].home, "brood-worker.service")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Rmdir(dir) }()
	openAll(t)
	if !exists(dir, "cgroup.procs") {
		t.Error("it was removed")
	}
}

func TestLockOfARemovedDirectory(t *testing.T) {
	dir := t.TempDir()
	f, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := lockDir(dir); err == nil {
		_ = again.Close()
		t.Error("it was locked twice")
	}
	_ = f.Close()
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if f, err := lockDir(dir); err == nil {
		_ = f.Close()
		t.Error("what is not there was locked")
	}
}

// With the last Parent of a process the process goes back to where it was, and nothing is left.
func TestParentsCloseInAnyOrder(t *testing.T) {
	papers := func() string {
		own, err := os.ReadFile("/proc/self/cgroup")
		if err != nil {
			t.Fatal(err)
		}
		return string(own)
	}
	before := papers()
	p, q := openAll(t), openAll(t)
	for range 2 {
		dirs := []string{p.branches[0].dir, q.branches[0].dir} // others may be making theirs beside
		p.Close()
		c := q.make(t, Limits{})
		child := start(t, c, "sleep")
		says(t, child.out, "ready")
		if _, err := c.Close(); err != nil {
			t.Error(err)
		}
		q.Close()
		if exists(dirs[0], "cgroup.procs") || exists(dirs[1], "cgroup.procs") || papers() != before {
			t.Errorf("one of %v is left, or we are in\n%swere in\n%s", dirs, papers(), before)
		}
		q, p = openAll(t), openAll(t)
	}
}
