package supervisor_test

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/brood-run/brood/supervisor"
)

// inmate starts a worker that tries what it should not, or skips if this machine has no
// means to refuse it.
func inmate(t *testing.T, p supervisor.PoolConfig) *supervisor.Supervisor {
	t.Helper()
	cfg := faulty(p)
	cfg.Pools[0].Plugin, cfg.Pools[0].Workers, cfg.Pools[0].MaxAttempts = plugin("inmate"), 1, 1
	s, err := supervisor.New(cfg)
	if err != nil && (strings.Contains(err.Error(), "Landlock") || strings.Contains(err.Error(), "network:")) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if err := s.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// try runs a task and returns what it answers.
func try(t *testing.T, s *supervisor.Supervisor, name, arg string) string {
	t.Helper()
	return string(completed(t, run(t, s, name, arg)).Payload)
}

// tries checks the answers of tasks: "done", or a part of the error.
func tries(t *testing.T, s *supervisor.Supervisor, want ...[3]string) {
	t.Helper()
	for _, w := range want {
		if got := try(t, s, w[0], w[1]); got != w[2] && (w[2] == "done" || !strings.Contains(got, w[2])) {
			t.Errorf("%s %s: got %q, want %q", w[0], w[1], got, w[2])
		}
	}
}

// files makes a directory with a file in it.
func files(t *testing.T) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	file = filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, file
}

const refused = "permission denied"

func TestAllowRead(t *testing.T) {
	open, readable := files(t)
	_, hidden := files(t)
	s := inmate(t, supervisor.PoolConfig{Limits: supervisor.Limits{AllowRead: []string{open}}})
	tries(t, s, [][3]string{
		{"read", readable, "done"},
		{"read", hidden, refused},
		{"read", "/etc/passwd", refused},
		{"read", plugin("inmate"), "done"},
		{"run", "true", refused}, // the shell is not on the list
		{"write", readable, refused},
		{"write", filepath.Join(open, "new"), refused},
		{"write", "/dev/null", "done"},
		{"read", "/dev/tty", ""},
	}...)
}

func TestAllowWrite(t *testing.T) {
	mine, file := files(t)
	theirs, other := files(t)
	s := inmate(t, supervisor.PoolConfig{Limits: supervisor.Limits{AllowWrite: []string{mine}}})
	tries(t, s, [][3]string{
		{"read", other, "done"},
		{"write", file, "done"},
		{"write", filepath.Join(mine, "new"), "done"},
		{"write", other, refused},
		{"write", filepath.Join(theirs, "new"), refused},
		{"run", "echo x >/dev/null && mkdir " + mine + "/d && mv " + mine + "/new " + mine + "/d && rm -r " + mine + "/d && echo done", "done"},
		{"run", "rm " + other, "denied"},
		{"run", "mkdir " + theirs + "/d", "denied"},
		{"run", "ln -s x " + theirs + "/l", "denied"},
		{"run", "mv " + file + " " + theirs + "/moved", "denied"},
		{"run", "mknod " + mine + "/disk b 8 0", "mknod"},
		{"run", "grep NoNewPrivs: /proc/self/status", "1"},
	}...)
}

// Truncating goes past the rights to write on kernels that do not know better.
func TestAllowWriteKeepsFilesFromBeingTruncated(t *testing.T) {
	mine, _ := files(t)
	_, other := files(t)
	s := inmate(t, supervisor.PoolConfig{Limits: supervisor.Limits{AllowWrite: []string{mine}}})
	answer := try(t, s, "run", "truncate -s 0 "+other)
	if st, err := os.Stat(other); err != nil || st.Size() == 0 {
		t.Errorf("it was truncated: %v, %q", err, answer)
	}
}

// What the list allows is what its paths lead to when a worker starts, and other pools have
// other lists.
func TestAllowListsOfPoolsAreTheirOwn(t *testing.T) {
	first, a := files(t)
	second, b := files(t)
	cfg := faulty(supervisor.PoolConfig{Workers: 1})
	cfg.Pools[0].Plugin = plugin("inmate")
	one := cfg.Pools[0]
	one.Name, one.Tasks, one.Limits = "one", []string{"read"}, supervisor.Limits{AllowRead: []string{first}}
	two := one
	two.Name, two.Tasks, two.Limits = "two", []string{"write"}, supervisor.Limits{AllowWrite: []string{second}}
	free := one
	free.Name, free.Tasks, free.Limits = "free", []string{"run"}, supervisor.Limits{}
	cfg.Pools = []supervisor.PoolConfig{one, two, free}
	inmate(t, one).Close() // or skip
	s := ready(t, cfg)
	tries(t, s, [][3]string{
		{"read", a, "done"}, {"read", b, refused}, {"write", b, "done"}, {"write", a, refused}, {"run", "cat " + a, "secret"},
	}...)
}

// A directory that was made anew while the pool ran is covered for new workers.
func TestAllowListFollowsItsPaths(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "work")
	renew := func() {
		t.Helper()
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	renew()
	s := inmate(t, supervisor.PoolConfig{MaxTasksPerChild: 1, Limits: supervisor.Limits{AllowWrite: []string{dir}}})
	for range 4 { // one worker is kept warm, and another was on its way
		try(t, s, "write", filepath.Join(dir, "f"))
	}
	renew()
	for range 4 {
		try(t, s, "env", "")
	}
	tries(t, s, [3]string{"write", filepath.Join(dir, "f"), "done"})
}

func TestAllowListsAreChecked(t *testing.T) {
	for _, c := range []struct {
		limits supervisor.Limits
		want   string
	}{
		{supervisor.Limits{AllowRead: []string{"/", "/nowhere"}}, "pools[0].limits: allow_read[1]: /nowhere: no such file"},
		{supervisor.Limits{AllowWrite: []string{"/nowhere"}}, "pools[0].limits: allow_write[0]: /nowhere: no such file"},
		{supervisor.Limits{Network: "lan"}, `pools[0].limits: network: "lan" is neither host nor none`},
	} {
		_, err := supervisor.New(faulty(supervisor.PoolConfig{Limits: c.limits}))
		if err == nil || !strings.Contains(err.Error(), c.want) && !strings.Contains(err.Error(), "Landlock") {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

func TestNoNetwork(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	address := server.Addr().String()
	tries(t, inmate(t, supervisor.PoolConfig{}), [3]string{"dial", address, "done"})
	s := inmate(t, supervisor.PoolConfig{MaxTasksPerChild: 1, Limits: supervisor.Limits{Network: supervisor.NetworkNone}})
	tries(t, s, [3]string{"dial", address, "network is unreachable"})
	one, two := try(t, s, "network", ""), try(t, s, "network", "")
	if ours, err := os.Readlink("/proc/self/ns/net"); err != nil || one == two || one == ours {
		t.Errorf("ours is %q (%v), the workers' are %q and %q", ours, err, one, two)
	}
}

// Both together, which for an ordinary user takes a user namespace that is set up under the list.
func TestNoNetworkWithAllowList(t *testing.T) {
	mine, file := files(t)
	_, other := files(t)
	s := inmate(t, supervisor.PoolConfig{Limits: supervisor.Limits{
		Network: supervisor.NetworkNone, AllowRead: []string{"/bin", "/lib", "/usr"}, AllowWrite: []string{mine},
	}})
	tries(t, s, [][3]string{
		{"dial", "127.0.0.1:1", "network is unreachable"},
		{"write", file, "done"},
		{"read", other, refused},
		{"run", "id -u", ids()},
	}...)
}

// Everything at once, at each level, and as another user if we may.
func TestConfinementAtEveryLevel(t *testing.T) {
	for _, level := range levels() {
		t.Run(string(level), func(t *testing.T) {
			mine, file := files(t)
			_, other := files(t)
			limits := supervisor.Limits{Network: supervisor.NetworkNone, AllowRead: []string{"/bin", "/lib", "/usr"}, AllowWrite: []string{mine}}
			user := ids()
			if os.Geteuid() == 0 {
				user = "65534" // known by its name only: it has to be looked up
				limits.User = "nobody"
				public(t)
				for _, path := range []string{filepath.Dir(mine), mine, file} {
					if err := os.Chmod(path, 0o777); err != nil {
						t.Fatal(err)
					}
				}
			}
			cfg := faulty(supervisor.PoolConfig{Workers: 1, MaxAttempts: 1, Limits: limits, Dir: "/"})
			cfg.Pools[0].Plugin = plugin("inmate")
			if _, err := supervisor.New(cfg); err != nil {
				t.Skip(err)
			}
			s := isolated(t, cfg, level)
			tries(t, s, [][3]string{
				{"dial", "127.0.0.1:1", "network is unreachable"},
				{"write", file, "done"},
				{"read", other, refused},
				{"run", "id -u", user},
			}...)
		})
	}
}

func TestClearEnv(t *testing.T) {
	t.Setenv("BROOD_TEST_SECRET", "it leaks")
	for _, clear := range []bool{false, true} {
		s := inmate(t, supervisor.PoolConfig{ClearEnv: clear, Env: []string{"GREETING=hello"}})
		env := try(t, s, "env", "")
		if strings.Contains(env, "BROOD_TEST_SECRET=") == clear || strings.Contains(env, "PATH=") == clear {
			t.Errorf("clear_env %v: %s", clear, env)
		}
		if !strings.Contains(env, "GREETING=hello") || !strings.Contains(env, "BROOD_WORKER=") {
			t.Errorf("clear_env %v: something is missing: %s", clear, env)
		}
	}
}

func ids() string { return strconv.Itoa(os.Geteuid()) }
