package supervisor_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

// nobody is a user who has no processes here.
const nobody = "54321"

func rlimit(name string, value uint64) supervisor.Limits {
	return supervisor.Limits{Rlimits: map[string]uint64{name: value}}
}

func needsRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("running workers as somebody else needs root")
	}
}

// ordinary is for limits that do not bind root: they belong to another user then.
func ordinary(t *testing.T, name string, value uint64) supervisor.Limits {
	t.Helper()
	l := rlimit(name, value)
	if os.Geteuid() != 0 {
		return l
	}
	public(t)
	l.User, l.Group = nobody, nobody

	var data [2]unix.CapUserData
	err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &data[0])
	if err != nil || data[0].Effective&(1<<unix.CAP_SYS_RESOURCE) == 0 {
		t.Skip("limits for another user need CAP_SYS_RESOURCE")
	}
	return l
}

// public makes a directory that every user can reach.
func public(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "brood-public-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, d := range []string{dir, bin} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRlimitsRefuse(t *testing.T) {
	dir, file := files(t)
	big := filepath.Join(dir, "big")
	for _, c := range []struct {
		name       string
		limits     supervisor.Limits
		task, arg  string
		free, want string
	}{
		{"nofile", rlimit("nofile", 64), "open", file, "done", "too many open files"},
		{"fsize", rlimit("fsize", 4096), "write", big, "done", "file too large"},
		{"as", rlimit("as", 4<<30), "map", "", "done", "cannot allocate memory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tries(t, inmate(t, supervisor.PoolConfig{}), [3]string{c.task, c.arg, c.free})
			tries(t, inmate(t, supervisor.PoolConfig{Limits: c.limits}), [3]string{c.task, c.arg, c.want})
		})
	}
}

// The kernel kills a Go program at its limit of CPU time, since that ignores SIGXCPU. It counts by its ticks, and the
// figure in the record is exact.
func TestCPULimitKills(t *testing.T) {
	s := inmate(t, supervisor.PoolConfig{Limits: rlimit("cpu", 1)})
	r := run(t, s, "spin", "")
	if r.Status != task.Dead || len(r.Attempts) != 1 || r.Attempts[0].Signal != "SIGKILL" || r.Attempts[0].CPU < 500e6 {
		t.Errorf("got %+v", r)
	}
}

func TestCoreLimit(t *testing.T) {
	if pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern"); err != nil || strings.ContainsAny(string(pattern), "|/") {
		t.Skipf("this machine writes no core files beside the program: %q, %v", pattern, err)
	}
	const crash = "ulimit -c unlimited; sh -c 'kill -SEGV $$'; ls | grep -c core; true"
	dumps := func(l supervisor.Limits) string {
		dir := public(t)
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		answer := strings.Fields(try(t, inmate(t, supervisor.PoolConfig{Dir: dir, Limits: l}), "run", crash))
		return answer[len(answer)-1]
	}
	limits := ordinary(t, "core", 0)
	free := limits
	free.Rlimits = nil
	if got := dumps(free); got != "1" {
		t.Skipf("%s core files without a limit", got)
	}
	if got := dumps(limits); got != "0" {
		t.Errorf("%s core files", got)
	}
}

func TestNprocLimit(t *testing.T) {
	const forks = "i=0; while [ $i -lt 100 ]; do sleep 100 >/dev/null 2>&1 & i=$((i+1)); done; echo all >&2"
	limits, level := ordinary(t, "nproc", 50), supervisor.IsolationGroup
	if os.Geteuid() != 0 {
		// What else our own user runs would count too, but for a user namespace.
		level = supervisor.IsolationPIDNS
		isolated(t, faulty(supervisor.PoolConfig{Workers: 1}), level) // or skipped
	}
	free := limits
	free.Rlimits = nil
	tries(t, inmate(t, supervisor.PoolConfig{Dir: "/", Limits: free, Isolation: level}), [3]string{"run", forks, "all"})
	tries(t, inmate(t, supervisor.PoolConfig{Dir: "/", Limits: limits, Isolation: level}), [3]string{"run", forks, "fork"})
}

func TestUserMayNotReadWhatRootMay(t *testing.T) {
	needsRoot(t)
	secret := filepath.Join(public(t), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	tries(t, inmate(t, supervisor.PoolConfig{Dir: "/"}), [3]string{"read", secret, "done"})
	s := inmate(t, supervisor.PoolConfig{Dir: "/", Limits: supervisor.Limits{User: nobody, Group: nobody}})
	tries(t, s, [][3]string{{"read", secret, refused}, {"run", "kill -0 1", "ermitted"}, {"run", "nice -n -5 true 2>&1", "denied"}}...)
}

func TestNoNewPrivsTakesSetuidAway(t *testing.T) {
	needsRoot(t)
	dir := public(t)
	whoami := filepath.Join(dir, "id")
	if out, err := exec.Command("sh", "-c", `cp "$(command -v id)" "$0" && chmod 4755 "$0"`, whoami).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for strict, want := range map[bool]string{false: "0", true: nobody} {
		s := inmate(t, supervisor.PoolConfig{Dir: "/", Limits: supervisor.Limits{User: nobody, Group: nobody, NoNewPrivs: strict}})
		got := try(t, s, "run", whoami+" -u")
		if !strict && got == nobody {
			t.Skip("setuid programs have no effect in " + dir)
		}
		if got != want {
			t.Errorf("no_new_privs %v: a setuid program ran as %q, want %s", strict, got, want)
		}
	}
}
