package proc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// confining skips a test where there is no Landlock.
func confining(t testing.TB) {
	t.Helper()
	if err := allowListSupport(); err != nil {
		t.Skip(err)
	}
}

// A thread under a list forks workers, and no other thread is touched by it.
func TestAllowListStaysOnItsThread(t *testing.T) {
	confining(t)
	s := newSpawner(t)
	for _, confined := range []bool{false, true, false} {
		c := Command{Path: "/bin/cat", Args: []string{"/etc/passwd"}}
		if confined {
			c.Limits = Limits{AllowRead: []string{"/usr", "/lib"}, AllowWrite: []string{t.TempDir()}}
		}
		p, _ := launchReading(t, s, c)
		if e := await(t, p); (e.Code != 0) != confined {
			t.Errorf("confined %v: cat ended with %v", confined, e)
		}
	}
	if _, err := os.ReadFile("/etc/passwd"); err != nil {
		t.Errorf("the supervisor is under a list: %v", err)
	}
}

// What keeps a script and a dynamic program from starting is not that their loaders are
// forbidden.
func TestLoadersAreAllowed(t *testing.T) {
	confining(t)
	dir := t.TempDir()
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte("#! /bin/sh -e\nexit 7\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	found := loaders(script)
	if len(found) == 0 || found[0] != "/bin/sh" {
		t.Errorf("loaders of a script with /bin/sh: %v", found)
	}
	s := newSpawner(t)
	p := launch(t, s, Command{Path: script, Limits: Limits{AllowRead: []string{"/lib", "/usr/lib"}}})
	if e := await(t, p); e.Code != 7 {
		t.Errorf("got %v", e)
	}
}

// The list names files as they are, so each change of one needs another thread; those
// that nobody needs end.
func TestThreadsOfOldListsEnd(t *testing.T) {
	confining(t)
	s := newSpawner(t)
	before := entries(t, "/proc/self/task")
	path := filepath.Join(t.TempDir(), "true")
	for i := range 30 {
		if err := os.WriteFile(path+".new", fmt.Appendf(nil, "#!/bin/true\n#%d", i), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
		p := launch(t, s, Command{Path: path, Limits: Limits{AllowRead: []string{"/lib", "/usr"}}})
		if e := await(t, p); e.Code != 0 {
			t.Fatalf("replaced %d times: %v", i, e)
		}
	}
	s.mu.Lock()
	kept := len(s.confined)
	s.mu.Unlock()
	if kept > 2 {
		t.Errorf("%d lists are kept", kept)
	}
	if after := entries(t, "/proc/self/task"); after > before+10 {
		t.Errorf("%d threads before, %d after", before, after)
	}
}

// A confined process lives as long as it likes while others come and go.
func TestThreadOfALivingProcessStays(t *testing.T) {
	confining(t)
	s := newSpawner(t)
	limits := func(dir string) Limits { return Limits{AllowWrite: []string{dir}} }
	old, out := launchReading(t, s, func() Command {
		c := part("sleep")
		c.Limits = limits(t.TempDir())
		return c
	}())
	line(t, out)
	for range 5 {
		await(t, launch(t, s, Command{Path: "/bin/true", Limits: limits(t.TempDir())}))
	}
	if err := old.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if e := await(t, old); e.Signal != "SIGTERM" {
		t.Errorf("it ended with its thread: %v", e)
	}
}

// No kind of right is left out by mistake, and none asked of a kernel that does not know it.
func TestWriteRights(t *testing.T) {
	confining(t)
	version, err := landlockVersion()
	if err != nil {
		t.Fatal(err)
	}
	rights := writeRights()
	for since, right := range map[int]uint64{
		1: unix.LANDLOCK_ACCESS_FS_MAKE_SYM, versionRefer: unix.LANDLOCK_ACCESS_FS_REFER,
		versionTruncate: unix.LANDLOCK_ACCESS_FS_TRUNCATE, versionIoctlDev: unix.LANDLOCK_ACCESS_FS_IOCTL_DEV,
	} {
		if (rights&right != 0) != (version >= since) {
			t.Errorf("version %d: right %x, which came with %d", version, right, since)
		}
	}
	if gap := (Limits{AllowWrite: []string{"/"}}).Gap(); (gap == "") != (version >= versionTruncate) {
		t.Errorf("version %d: %q", version, gap)
	}
	if rights&readRights != 0 || (Limits{}).Gap() != "" {
		t.Error("without lists nothing is restricted")
	}
}

func TestNoNetwork(t *testing.T) {
	limits := Limits{NoNetwork: true}
	if err := limits.CheckNetwork(); err != nil {
		t.Skip(err)
	}
	s := newSpawner(t)
	ours, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	c := Command{Path: "/bin/sh", Args: []string{"-c", "echo $(readlink /proc/self/ns/net) $(id -u) $(id -g)"}, Limits: limits}
	_, out := launchReading(t, s, c)
	got := strings.Fields(line(t, out))
	if len(got) != 3 || got[0] == ours || got[1] != fmt.Sprint(os.Geteuid()) || got[2] != fmt.Sprint(os.Getegid()) {
		t.Errorf("got %q; our network is %s", got, ours)
	}
}

// What cannot be done says why, instead of running with a network.
func TestNoNetworkRefused(t *testing.T) {
	if Privileged() {
		t.Skip("we may make all the namespaces we want")
	}
	err := Limits{NoNetwork: true, User: "root"}.CheckNetwork()
	if err == nil || !strings.Contains(err.Error(), "CAP_SYS_ADMIN") {
		t.Errorf("got %v", err)
	}
}

func TestIdentity(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	seen := map[Identity]string{}
	look := func(what string, change func() error) {
		t.Helper()
		if err := change(); err != nil {
			t.Fatal(err)
		}
		id, err := Identify(path)
		if err != nil {
			t.Fatal(err)
		}
		if before, known := seen[id]; known {
			t.Errorf("%s: the same as when it was %s", what, before)
		}
		seen[id] = what
	}
	look("written", func() error { return os.WriteFile(path, []byte("a"), 0o600) })
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	look("longer", func() error { return os.WriteFile(path, []byte("ab"), 0o600) })
	look("replaced", func() error {
		return errors.Join(os.WriteFile(path+"2", []byte("ab"), 0o600), os.Chtimes(path+"2", st.ModTime(), st.ModTime()), os.Rename(path+"2", path))
	})
	if _, err := Identify(path + "3"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkStartConfined(b *testing.B) {
	for name, l := range map[string]Limits{
		"plain":        {},
		"no_new_privs": {NoNewPrivs: true},
		"allow_read":   {AllowRead: []string{"/lib", "/usr"}},
		"no_network":   {NoNetwork: true},
	} {
		b.Run(name, func(b *testing.B) {
			s := newSpawner(b)
			for b.Loop() {
				await(b, launch(b, s, Command{Path: "/bin/true", Limits: l}))
			}
		})
	}
}
