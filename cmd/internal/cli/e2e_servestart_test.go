package cli

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// slowStart is a server whose plugin does not come up, at its first start, before it is let go.
type slowStart struct {
	*brood
	gate *os.File
}

// startSlowly returns when the plugin is starting.
func startSlowly(t *testing.T) *slowStart {
	t.Helper()
	b := newBrood(t, "serve", "--plugin", "./plugin", "--memory", "--listen", "127.0.0.1:0", "--log-level", "info")
	begun, gate := fifo(t, b.inDir("begun", "")), fifo(t, b.inDir("gate", ""))
	b.inDir("plugin", "#!/bin/sh\nmkdir once 2>/dev/null && echo x >begun && read x <gate\nexec "+
		filepath.Join(buildDir, "plugins", "echo")+" \"$@\"\n")
	if err := os.Chmod(b.inDir("plugin", ""), 0o700); err != nil {
		t.Fatal(err)
	}
	b.start()
	if _, err := begun.Read(make([]byte, 1)); err != nil {
		t.Fatalf("the plugin is not started: %v\n%s", err, b.stderr.String())
	}
	return &slowStart{b, gate}
}

// fifo makes a named pipe and opens it so that nothing waits for another end.
func fifo(t *testing.T, path string) *os.File {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := f.SetDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	return f
}

// A service manager that reloads early is heard when there is something to reload.
func TestE2EReloadDuringTheStart(t *testing.T) {
	b := startSlowly(t)
	b.signal(syscall.SIGHUP)
	if _, err := b.gate.WriteString("go on\n"); err != nil {
		t.Fatal(err)
	}
	b.awaits("serving at ")
	b.awaits("reloaded")
	b.signal(syscall.SIGTERM)
	b.exit(exitOK)
}

// A stop is in order at any time: only a second signal is not.
func TestE2EStopDuringTheStart(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		b := startSlowly(t)
		b.signal(sig)
		b.exit(exitOK).says("stopped during the start")
	}
}
