package supervisor_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
)

// put has a file in the place of another, as an installer does it.
func put(t testing.TB, path string, content []byte, mode os.FileMode) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path+".new", content, mode), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
}

// breakage puts something at a path that is no plugin.
type breakage struct {
	put  func(t testing.TB, path string)
	want string // in the reason
}

func script(text string) func(testing.TB, string) {
	return func(t testing.TB, path string) {
		t.Helper()
		put(t, path, []byte("#!/bin/sh\n"+text), 0o755)
	}
}

func breakages() map[string]breakage {
	return map[string]breakage{
		"exits":          {script("echo the licence is missing >&2; exit 7"), "the licence is missing"},
		"hangs":          {script("echo waiting for the moon; exec sleep 1000"), "waiting for the moon"},
		"is no plugin":   {script("echo hello; exec sleep 1000"), "hello"},
		"not executable": {func(t testing.TB, path string) { put(t, path, []byte("#!/bin/sh\n"), 0o644) }, "it is not executable"},
		"not there": {func(t testing.TB, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}, "there is no such file"},
		"another machine's": {func(t testing.TB, path string) {
			const machine = 18 // where ELF names it
			content, err := os.ReadFile(plugin("faulty"))
			if err != nil {
				t.Fatal(err)
			}
			content = bytes.Clone(content)
			content[machine], content[machine+1] = 2, 0 // SPARC
			put(t, path, content, 0o755)
		}, "it is built for the architecture sparc"},
	}
}

// A binary that does not work is taken back with its reason, and the pool goes on with the one
// before, from which it can start workers though it is nowhere in the file system.
func TestBrokenBinaryIsRolledBack(t *testing.T) {
	for name, broken := range breakages() {
		t.Run(name, func(t *testing.T) {
			const size = 2
			cfg, path := installed(t, supervisor.PoolConfig{Workers: size})
			s := complete(t, cfg)
			rolls, deaths := s.Events(10_000), s.Events(10_000)
			completed(t, run(t, s, "ok", ""))
			broken.put(t, path)
			pools := slices.Clone(cfg.Pools)
			pools[0].StartTimeout = 300 * time.Millisecond
			pools[0].MaxAttempts = 1
			err := s.Reload(t.Context(), pools)
			var rolledBack *supervisor.ReloadError
			if !errors.As(err, &rolledBack) || !errors.Is(err, supervisor.ErrRolledBack) ||
				rolledBack.Pool != "plugin" || !strings.Contains(err.Error(), broken.want) {
				t.Fatalf("got %v, want %q", err, broken.want)
			}
			e := await(t, rolls, func(event.ReloadRolledBack) bool { return true })
			if p := s.Snapshot().Pools[0]; !strings.Contains(p.Reload, broken.want) || p.Reload != e.Reason || p.Degraded != "" {
				t.Errorf("got %+v, told %v", p, e)
			}
			replaceAll(t, s, deaths, size)
			if r := run(t, s, "fail", ""); r.Started != 3 {
				t.Errorf("the settings are not the old ones: %+v", r)
			}
			copyPlugin(t, path, "mended")
			if err := s.Reload(t.Context(), cfg.Pools); err != nil {
				t.Fatal(err)
			}
			if p := s.Snapshot().Pools[0]; p.Reload != "" {
				t.Errorf("got %+v", p)
			}
			completed(t, run(t, s, "ok", ""))
		})
	}
}

// A plugin that does not serve what the pool does is not put in its place, unless the pool is to serve something else.
func TestPluginThatServesOthersIsRolledBack(t *testing.T) {
	cfg, path := installed(t, supervisor.PoolConfig{Workers: 2})
	cfg.Pools[0].Tasks = []string{"ok", "pid"}
	s := complete(t, cfg)
	inmate, err := os.ReadFile(plugin("inmate"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, path, inmate, 0o755)
	if err := s.Reload(t.Context(), cfg.Pools); !errors.Is(err, supervisor.ErrRolledBack) || !strings.Contains(err.Error(), `does not serve the task "ok"`) {
		t.Fatalf("got %v", err)
	}
	for range 20 {
		completed(t, run(t, s, "ok", ""))
	}
	pools := slices.Clone(cfg.Pools)
	pools[0].Tasks = []string{"env"}
	if err := s.Reload(t.Context(), pools); err != nil {
		t.Fatal(err)
	}
	completed(t, run(t, s, "env", ""))
}

// replaceAll kills workers, one after the other, each of which has another come up.
func replaceAll(t testing.TB, s *supervisor.Supervisor, events *event.Subscription, size int) {
	t.Helper()
	for range size + 1 {
		pid := pidOf(t, run(t, s, "pid", ""))
		kill(t, pid)
		await(t, events, func(e event.WorkerExited) bool { return e.PID == pid })
		await(t, events, func(event.WorkerReady) bool { return true })
	}
	if p := s.Snapshot().Pools[0]; p.Degraded != "" {
		t.Errorf("got %+v", p)
	}
}

// The old binary is started again under each kind of confinement.
func TestRolledBackUnderConfinement(t *testing.T) {
	type P = supervisor.PoolConfig
	for name, p := range map[string]P{
		"group":      {},
		"pidns":      {Isolation: supervisor.IsolationPIDNS},
		"cgroup":     {Isolation: supervisor.IsolationCgroup},
		"user":       {Limits: supervisor.Limits{User: "54321", Group: "54321"}, Dir: "/"},
		"allow list": {Limits: supervisor.Limits{AllowRead: []string{"/etc"}}},
		"no network": {Limits: supervisor.Limits{Network: supervisor.NetworkNone}},
		"all": {Isolation: supervisor.IsolationPIDNS, Dir: "/", Limits: supervisor.Limits{
			User: "54321", Group: "54321", AllowRead: []string{"/etc"}, Network: supervisor.NetworkNone}},
		"checksum": {SHA256: "right"},
	} {
		t.Run(name, func(t *testing.T) {
			if p.Limits.User != "" && os.Geteuid() != 0 {
				t.Skip("running workers as somebody else needs root")
			}
			p.Workers = 1
			cfg, path := installed(t, p)
			open(t, filepath.Dir(path))
			if p.SHA256 != "" {
				cfg.Pools[0].SHA256 = copyPlugin(t, path, "")
			}
			s := create(t, cfg)
			if err := s.Start(); errors.Is(err, supervisor.ErrIsolation) {
				t.Skip(err)
			} else if err != nil {
				t.Fatal(err)
			}
			if err := s.WaitReady(t.Context()); err != nil {
				t.Fatal(err)
			}
			script("exit 3")(t, path)
			if err := s.Reload(t.Context(), cfg.Pools); !errors.Is(err, supervisor.ErrRolledBack) {
				t.Fatalf("got %v", err)
			}
			events := s.Events(1000)
			if err := s.Recycle(workers(s)[0]); err != nil {
				t.Fatal(err)
			}
			await(t, events, func(e event.WorkerExited) bool { return e.Reason == "request" })
			completed(t, run(t, s, "ok", ""))
		})
	}
}

// open lets everybody into a test's folders.
func open(t testing.TB, dir string) {
	t.Helper()
	for ; strings.Contains(dir, "Test"); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// A pool that new binaries have brought down comes back with the last one that worked, once it is
// asked to reload.
func TestRollBackMendsADegradedPool(t *testing.T) {
	cfg, path := installed(t, supervisor.PoolConfig{Workers: 2})
	s := complete(t, cfg)
	events := s.Events(10_000)
	script("exit 3")(t, path)
	kill(t, pidOf(t, run(t, s, "pid", "")))
	await(t, events, func(event.PoolDegraded) bool { return true })
	if err := s.Reload(t.Context(), cfg.Pools); !errors.Is(err, supervisor.ErrRolledBack) {
		t.Fatalf("got %v", err)
	}
	await(t, events, func(event.PoolRecovered) bool { return true })
	replaceAll(t, s, s.Events(1000), 2)
}

// A script is kept too, though it finds itself at another path.
func TestRolledBackScript(t *testing.T) {
	cfg, path := installed(t, supervisor.PoolConfig{Workers: 1})
	script("exec "+plugin("faulty")+"\n")(t, path)
	s := complete(t, cfg)
	script("exit 3")(t, path)
	if err := s.Reload(t.Context(), cfg.Pools); !errors.Is(err, supervisor.ErrRolledBack) {
		t.Fatalf("got %v", err)
	}
	replaceAll(t, s, s.Events(1000), 1)
}

// What was written over in place is gone: the reload is taken back, says so, and the workers that
// run go on.
func TestOverwrittenInPlaceCannotBeHadBack(t *testing.T) {
	cfg, path := installed(t, supervisor.PoolConfig{Workers: 1})
	script("exec "+plugin("faulty")+"\n")(t, path)
	s := complete(t, cfg)
	was := pidOf(t, run(t, s, "pid", ""))
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexit 3 # and nothing else is to be done\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(t.Context(), cfg.Pools); !errors.Is(err, supervisor.ErrRolledBack) || !strings.Contains(err.Error(), "written over in place") {
		t.Fatalf("got %v", err)
	}
	if now := pidOf(t, run(t, s, "pid", "")); now != was {
		t.Errorf("worker %d was replaced by %d", was, now)
	}
}

// Workers that do not come up, and take long to, are waited for under load, while others wear out or
// do not: no task fails, and there are never too few workers.
func TestRollBackUnderLoad(t *testing.T) {
	const n, size = 900, 3
	for name, p := range map[string]supervisor.PoolConfig{"plain": {}, "recycling": {MaxTasksPerChild: 80}} {
		t.Run(name, func(t *testing.T) {
			p.Workers = size
			cfg, path := installed(t, p)
			s := create(t, cfg)
			events := s.Events(1_000_000)
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			done, reloaded := 0, make(chan error, 1)
			for r := range s.Map(t.Context(), naps(n), supervisor.MapOptions{Limit: 60}) {
				if completed(t, r).Started != 1 {
					t.Errorf("got %+v", r)
				}
				if done++; done == n/3 {
					script("exec sleep 1000")(t, path)
					cfg.Pools[0].StartTimeout = 200 * time.Millisecond
					go func() { reloaded <- s.Reload(t.Context(), cfg.Pools) }()
				}
			}
			if err := <-reloaded; !errors.Is(err, supervisor.ErrRolledBack) {
				t.Fatalf("got %v", err)
			}
			s.Close()
			if c := measure(t, events, size); c.least < floor(p) || done != n {
				t.Errorf("%d results, %+v", done, c)
			}
		})
	}
}

// halfway is a plugin that starts once; mark is the folder by which it knows.
func halfway(mark string) func(testing.TB, string) {
	return script(fmt.Sprintf("mkdir %s || exit 3\nVERSION=bad exec %s\n", mark, plugin("faulty")))
}

// The first of the new workers is good and a later one is not: those that came up are replaced back.
func TestRollBackHalfway(t *testing.T) {
	const size = 3
	cfg, path := installed(t, supervisor.PoolConfig{Workers: size})
	s := complete(t, cfg)
	events, deaths := s.Events(10_000), s.Events(10_000)
	halfway(filepath.Join(t.TempDir(), "once"))(t, path)
	if err := s.Reload(t.Context(), cfg.Pools); !errors.Is(err, supervisor.ErrRolledBack) || !strings.Contains(err.Error(), "exit code 3") {
		t.Fatalf("got %v", err)
	}
	// One old worker had left for the good one, which leaves for an old one in turn.
	for range 2 {
		await(t, events, func(e event.WorkerExited) bool { return e.Reason == "reload" })
	}
	for _, w := range s.Snapshot().Pools[0].Workers {
		env, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", w.PID)) // it may have ended, or not begun
		if bytes.Contains(env, []byte("VERSION=bad")) {
			t.Errorf("%s is of the new binary", w.Name)
		}
	}
	replaceAll(t, s, deaths, size)
}

// Whatever else is asked of a pool while it is reloaded is done too: here while its first new worker
// takes its time.
func TestOperatingWhileReloading(t *testing.T) {
	cfg, path := installed(t, supervisor.PoolConfig{Workers: 2})
	s := complete(t, cfg)
	events := s.Events(10_000)
	old := s.Snapshot().Pools[0].Workers
	script(fmt.Sprintf("mkdir %s/first && sleep 1\nexec %s\n", t.TempDir(), plugin("faulty")))(t, path)
	reloaded := make(chan error, 1)
	go func() { reloaded <- s.Reload(t.Context(), cfg.Pools) }()
	await(t, events, func(event.ReloadStarted) bool { return true })
	if err := errors.Join(s.Recycle(old[0].Name), s.Scale("plugin", 3)); err != nil {
		t.Fatal(err)
	}
	kill(t, old[1].PID)
	young := map[string]bool{}
	for len(young) < 3 { // long before the new one is ready
		e := await(t, events, func(event.Event) bool { return true })
		switch e := e.(type) {
		case event.WorkerReady:
			young[e.Worker] = true
		case event.ReloadFinished:
			t.Fatal("the old settings are no longer to be had")
		}
	}
	completed(t, run(t, s, "ok", ""))
	if err := <-reloaded; err != nil {
		t.Fatal(err)
	}
	p := s.Snapshot().Pools[0]
	if p.Size != 3 || p.Restarts["request"] != 1 || p.Restarts["signal"] != 1 || p.Restarts["reload"] != 3 {
		t.Errorf("got %+v", p)
	}
}

// Nothing is left open by reloads, good or bad.
func TestReloadsLeaveNothingOpen(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // the garbage collector closes forgotten files too
	cfg, path := installed(t, supervisor.PoolConfig{Workers: 2})
	round := func() {
		dir := t.TempDir()
		s := complete(t, cfg)
		for i := range 3 {
			copyPlugin(t, path, fmt.Sprint(i))
			if err := s.Reload(t.Context(), cfg.Pools); err != nil {
				t.Fatal(err)
			}
			halfway(filepath.Join(dir, fmt.Sprint(i)))(t, path)
			if err := s.Reload(t.Context(), cfg.Pools); err == nil {
				t.Fatal("it was to fail")
			}
		}
		copyPlugin(t, path, "")
		s.Close()
	}
	round()
	before := openFiles(t)
	if round(); openFiles(t) > before {
		t.Errorf("%d files were open, %d are", before, openFiles(t))
	}
}
