package supervisor_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
)

// copyPlugin puts a plugin's file, with something harmless behind it, at a path.
func copyPlugin(t testing.TB, path, suffix string) (sum string) {
	t.Helper()
	content, err := os.ReadFile(plugin("faulty"))
	if err != nil {
		t.Fatal(err)
	}
	content = append(content, suffix...)
	if err := os.WriteFile(path+".new", content, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(content))
}

// replaceable is a Config with a plugin of its own whose workers last for one task.
func replaceable(t testing.TB) (cfg supervisor.Config, path, sum string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "plugin")
	sum = copyPlugin(t, path, "")
	cfg = faulty(supervisor.PoolConfig{Workers: 1, MaxTasksPerChild: 1, RecycleJitter: -1})
	cfg.Pools[0].Plugin = path
	return cfg, path, sum
}

func changed(t testing.TB, events *event.Subscription) event.PluginChanged {
	t.Helper()
	return await(t, events, func(event.PluginChanged) bool { return true })
}

func TestChecksumIsDemanded(t *testing.T) {
	cfg, _, sum := replaceable(t)
	t.Run("right", func(t *testing.T) {
		cfg.Pools[0].SHA256 = strings.ToUpper(sum)
		completed(t, run(t, ready(t, cfg), "ok", ""))
	})
	cfg.Pools[0].SHA256 = strings.Repeat("0", 64)
	s := create(t, cfg)
	events := s.Events(100)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	err := s.WaitReady(t.Context())
	if !errors.Is(err, supervisor.ErrNoWorker) || !strings.Contains(err.Error(), "its SHA-256 is "+sum+", but sha256 demands 0000") {
		t.Errorf("got %v", err)
	}
	s.Close()
	for e := range events.C() {
		if e.Kind() == "worker_starting" || e.Kind() == "plugin_changed" {
			t.Errorf("nothing was to be started, and nothing has changed: %v", e)
		}
	}
}

func TestChecksumHasToBeOne(t *testing.T) {
	for _, sum := range []string{"abc", strings.Repeat("g", 64), strings.Repeat("0", 66)} {
		cfg, _, _ := replaceable(t)
		cfg.Pools[0].SHA256 = sum
		if _, err := supervisor.New(cfg); !errors.Is(err, supervisor.ErrConfig) || !strings.Contains(err.Error(), "pools[0].sha256") {
			t.Errorf("%q: %v", sum, err)
		}
	}
}

// Without a checksum new workers start from the new file, which is told once.
func TestPluginReplacedWhileThePoolRuns(t *testing.T) {
	cfg, path, _ := replaceable(t)
	s := start(t, cfg)
	events := s.Events(10_000)
	for range 5 {
		completed(t, run(t, s, "ok", ""))
	}
	copyPlugin(t, path, "another")
	for range 20 {
		completed(t, run(t, s, "ok", ""))
	}
	s.Close()
	var all []event.PluginChanged
	for e := range events.C() {
		if e, ok := e.(event.PluginChanged); ok {
			all = append(all, e)
		}
	}
	if len(all) != 1 || all[0].Refused || all[0].New.Size != all[0].Old.Size+int64(len("another")) || all[0].New.Inode == all[0].Old.Inode {
		t.Errorf("got %v", all)
	}
}

// With a checksum no worker starts from another file, and the queue waits until it is right again.
func TestPluginReplacedUnderAChecksum(t *testing.T) {
	cfg, path, sum := replaceable(t)
	cfg.Pools[0].SHA256 = sum
	s := ready(t, cfg)
	events := s.Events(10_000)
	copyPlugin(t, path, "another")
	var waiting []*supervisor.Handle
	for range 10 {
		waiting = append(waiting, submit(t, s, "ok", ""))
	}
	if e := changed(t, events); !e.Refused {
		t.Errorf("got %v", e)
	}
	await(t, events, func(e event.PoolDegraded) bool { return strings.Contains(e.Reason, "sha256 demands "+sum) })
	copyPlugin(t, path, "")
	for _, h := range waiting {
		completed(t, wait(t, h))
	}
}

// A script can be rewritten in place while it runs.
func TestScriptRewrittenInPlace(t *testing.T) {
	cfg, path, _ := replaceable(t)
	script := func(comment string) []byte {
		return fmt.Appendf(nil, "#!/bin/sh\n# %s\nexec %s\n", comment, plugin("faulty"))
	}
	if err := os.WriteFile(path, script("old"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := ready(t, cfg)
	events := s.Events(10_000)
	completed(t, run(t, s, "ok", ""))
	err := os.WriteFile(path, script("brand new"), 0o755)
	for errors.Is(err, syscall.ETXTBSY) { // for as long as the kernel reads which shell it is for
		err = os.WriteFile(path, script("brand new"), 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		completed(t, run(t, s, "ok", ""))
	}
	if e := changed(t, events); e.Refused || e.Old.Inode != e.New.Inode || e.New.Size != e.Old.Size+int64(len("brand new")-len("old")) {
		t.Errorf("got %v", e)
	}
}

// A program cannot be run while it is written to, nor, as a rule, be written to while it runs.
func TestProgramRewrittenInPlace(t *testing.T) {
	cfg, path, _ := replaceable(t)
	cfg.Pools[0].MaxTasksPerChild, cfg.Pools[0].IdleTTL = 0, time.Millisecond
	s := ready(t, cfg)
	events := s.Events(10_000)
	completed(t, run(t, s, "ok", ""))
	await(t, events, func(event.WorkerExited) bool { return true })
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := submit(t, s, "ok", "")
	if runtime.GOOS == "linux" {
		await(t, events, func(e event.PoolDegraded) bool { return strings.Contains(e.Reason, "open for writing") })
	}
	if _, err := f.WriteString("more"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	completed(t, wait(t, h))
	if e := changed(t, events); e.Refused || e.New.Size != e.Old.Size+int64(len("more")) || e.New.Inode != e.Old.Inode {
		t.Errorf("got %v", e)
	}
}
