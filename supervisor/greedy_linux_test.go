package supervisor_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

// beside is a Config with a pool of the probe for the tasks that misbehave, and one that must
// not notice.
func beside(probes supervisor.PoolConfig) supervisor.Config {
	probes.Plugin, probes.Workers, probes.Tasks = plugin("probe"), 1, []string{"bomb", "fill", "log"}
	return supervisor.Config{ReapOrphans: true, Pools: []supervisor.PoolConfig{
		probes, {Plugin: plugin("faulty"), Workers: 1, Tasks: []string{"ok", "pid"}},
	}}
}

// unnoticed runs tasks until stop is closed, all in the same process and at the first attempt.
func unnoticed(t *testing.T, s *supervisor.Supervisor, stop <-chan struct{}) {
	t.Helper()
	first := pidOf(t, run(t, s, "pid", ""))
	for n := 0; ; n++ {
		select {
		case <-stop:
			if n == 0 {
				t.Error("no task ran meanwhile")
			}
			return
		default:
		}
		if r := run(t, s, "pid", ""); pidOf(t, r) != first || r.Started != 1 {
			t.Fatalf("the other pool noticed: %+v", r)
		}
	}
}

// A task that forks without end gets as many processes as it may have, and when its worker
// is killed they all end, whatever group and session they are in.
func TestForkBombEndsWithItsWorker(t *testing.T) {
	adopting(t)
	limits, uid := limitedUser(t)
	s := start(t, beside(supervisor.PoolConfig{
		Limits: limits, MaxAttempts: 1, HardTimeout: time.Second, Heartbeat: 100 * time.Millisecond,
	}))
	if err := s.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	mark := fmt.Sprintf("bomb-%d", os.Getpid())
	h := submit(t, s, "bomb", fmt.Sprint(mark, " ", threads(t, uid)+150))
	eventually(t, "the bomb has gone off", func() bool { return marked(t, mark) > 5 })
	unnoticed(t, s, h.Done())
	if r := wait(t, h); r.Status != task.Dead || r.Err.Kind != task.KindTimeout && r.Err.Kind != task.KindCrashed {
		t.Errorf("got %+v", r)
	}
	eventually(t, "the last fragment is gone", func() bool { return marked(t, mark) == 0 })
	completed(t, run(t, s, "log", ""))
	s.Close()
}

// limitedUser is whom the number of processes limits: not root.
func limitedUser(t *testing.T) (supervisor.Limits, int) {
	t.Helper()
	if os.Geteuid() != 0 {
		return supervisor.Limits{}, os.Getuid()
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Skip(err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(bin, 0o755); err != nil { // so that he may run the plugin
		t.Fatal(err)
	}
	return supervisor.Limits{User: "nobody"}, uid
}

// threads counts what the kernel holds against a user's limit of processes.
func threads(t *testing.T, uid int) int {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*/task/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, dir := range dirs {
		if st, err := os.Stat(dir); err == nil && int(st.Sys().(*syscall.Stat_t).Uid) == uid {
			n++
		}
	}
	return n
}

// marked counts the processes whose last argument is mark.
func marked(t *testing.T, mark string) int {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range lines {
		if b, err := os.ReadFile(path); err == nil && bytes.HasSuffix(b, []byte("\x00"+mark+"\x00")) {
			n++
		}
	}
	return n
}

// A task that writes more than it may is told so, and only that task.
func TestFullDiskIsTheTasksOwn(t *testing.T) {
	for name, c := range map[string]struct {
		limits supervisor.Limits
		dir    func(*testing.T) string
		want   string
	}{
		"fsize": {supervisor.Limits{Rlimits: map[string]uint64{"fsize": 1 << 20}}, (*testing.T).TempDir, "file too large"},
		"tmpfs": {supervisor.Limits{}, smallDisk, "no space left on device"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := c.dir(t)
			s := ready(t, beside(supervisor.PoolConfig{Limits: c.limits, Dir: dir}))
			path := filepath.Join(dir, "full")
			r := run(t, s, "fill", path)
			if r.Status != task.Dead || r.Started != 1 || !strings.Contains(r.Err.Message, c.want) {
				t.Errorf("%+v, want %q", r, c.want)
			}
			if st, err := os.Stat(path); err != nil || st.Size() > 1<<20 {
				t.Errorf("%v, %v", st, err)
			}
			completed(t, run(t, s, "log", ""))
			if r := completed(t, run(t, s, "ok", "")); r.Started != 1 {
				t.Errorf("the other pool noticed: %+v", r)
			}
			s.Close()
		})
	}
}

// smallDisk is a directory with room for 1 MiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); errors.Is(err, syscall.EPERM) {
		t.Skip("mounting a file system needs root")
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}
