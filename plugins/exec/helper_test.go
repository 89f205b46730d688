package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// helperKey makes the test binary play a command. The value is what it does.
const helperKey = "EXEC_TEST_HELPER"

// runHelper is the other side of the tests: "sleep" does nothing for ever; "worker"
// runs a command; "leave" and "stay" start a sleeper in a session of its own and then do
// as they are called. A pid is told through the named pipe in the first argument.
func runHelper(what string) int {
	switch what {
	case "sleep":
		return stay()
	case "worker":
		r, err := newRunner(0)
		if err == nil {
			_, err = r.run(context.Background(), command{
				argv: []string{"sh", "-c", `echo $$ > "$1"; exec sleep 600`, "sh", os.Args[1]},
				env:  map[string]string{helperKey: ""},
			})
		}
		if err != nil {
			return 1
		}
		return 0
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), helperKey+"=sleep")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Stdout = os.Stdout // holds the pipe open, as a careless daemon does
	if err := cmd.Start(); err != nil {
		return 1
	}
	if err := os.WriteFile(os.Args[1], []byte(strconv.Itoa(cmd.Process.Pid)), 0); err != nil {
		return 1
	}
	if what == "stay" {
		return stay()
	}
	return 0
}

// stay lasts longer than any test; an empty select would be found to be a deadlock.
func stay() int {
	<-time.After(time.Hour)
	return 0
}

// rendezvous is a named pipe through which a command tells a pid.
type rendezvous string

func newRendezvous(t *testing.T) rendezvous {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pid")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return rendezvous(path)
}

// pid waits until the command has told one.
func (r rendezvous) pid(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(string(r))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func helper(what string, r rendezvous) command {
	return command{argv: []string{"/proc/self/exe", string(r)}, env: map[string]string{helperKey: what}}
}

// background runs a command and returns a function that waits for its outcome.
func background(ctx context.Context, r *runner, c command) (wait func() (*outcome, error)) {
	var out *outcome
	var err error
	var wg sync.WaitGroup
	wg.Go(func() { out, err = r.run(ctx, c) })
	return func() (*outcome, error) { wg.Wait(); return out, err }
}
