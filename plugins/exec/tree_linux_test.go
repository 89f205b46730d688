package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// helperKey makes the test binary play a command. The value is what it does.
const helperKey = "EXEC_TEST_HELPER"

// runHelper is the command side of the tests: "sleep" does nothing for ever; the
// others start a sleeper in a session of its own, tell its pid through the named
// pipe in the first argument, and then leave or stay.
func runHelper(what string) int {
	if what == "sleep" {
		return stay()
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

func testRunner(t *testing.T) *runner { t.Helper(); return newService(t).runner }

// expectGone fails unless the process has ended and been reaped.
func expectGone(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there (%v)", pid, err)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func TestNothingOutlivesACommandThatEnds(t *testing.T) {
	for name, c := range map[string]func(rendezvous) command{
		"left the group": func(r rendezvous) command { return helper("leave", r) },
		"in the group": func(r rendezvous) command {
			return command{argv: []string{"sh", "-c", `sleep 600 & echo $! > "$1"`, "sh", string(r)}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			at := newRendezvous(t)
			wait := background(t.Context(), testRunner(t), c(at))
			pid := at.pid(t)
			out, err := wait()
			if err != nil || !out.state.Success() {
				t.Fatalf("run: %+v, %v", out, err)
			}
			expectGone(t, pid)
		})
	}
}

func TestCancelEndsTheWholeTree(t *testing.T) {
	for name, tc := range map[string]struct {
		command func(rendezvous) command
		signal  string
	}{
		"left the group": {func(r rendezvous) command { return helper("stay", r) }, ""},
		"in the group": {func(r rendezvous) command {
			return command{argv: []string{"sh", "-c", `sleep 600 & echo $! > "$1"; wait`, "sh", string(r)}}
		}, "SIGTERM"},
		"ignores SIGTERM": {func(r rendezvous) command {
			return command{argv: []string{"sh", "-c", `trap "" TERM; echo $$ > "$1"; while :; do sleep 600; done`, "sh", string(r)}}
		}, "SIGKILL"},
	} {
		t.Run(name, func(t *testing.T) {
			at := newRendezvous(t)
			ctx, cancel := context.WithCancel(t.Context())
			wait := background(ctx, testRunner(t), tc.command(at))
			pid := at.pid(t)
			cancel()
			begun := time.Now()
			out, err := wait()
			if err != nil || out.state.Success() || (tc.signal != "" && out.signal() != tc.signal) {
				t.Errorf("run: %v, %v; want %s", out, err, tc.signal)
			}
			if took := time.Since(begun); took > termGrace+2*time.Second {
				t.Errorf("it took %v", took)
			}
			expectGone(t, pid)
		})
	}
}

// One command's stray is told from another's while both run.
func TestSweepSparesOtherCommands(t *testing.T) {
	r := testRunner(t)
	ctx, cancel := context.WithCancel(t.Context())
	stays, leaves := newRendezvous(t), newRendezvous(t)
	waitStays := background(ctx, r, helper("stay", stays))
	other := stays.pid(t)
	waitLeaves := background(t.Context(), r, helper("leave", leaves))
	stray := leaves.pid(t)
	if _, err := waitLeaves(); err != nil {
		t.Fatal(err)
	}
	expectGone(t, stray)
	if err := syscall.Kill(other, 0); err != nil {
		t.Errorf("the other command's child: %v", err)
	}
	cancel()
	if _, err := waitStays(); err != nil {
		t.Fatal(err)
	}
	expectGone(t, other)
}

// What a command cannot escape by its own means, the death of the worker must do:
// closing the spawner ends its thread, as the death of the process would.
func TestCommandDiesWithItsThread(t *testing.T) {
	s := newSpawner()
	p, err := s.spawn("/proc/self/exe", []string{"sleeper"}, &os.ProcAttr{
		Env: []string{helperKey + "=sleep"}, Sys: groupAttr(),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.close()
	state, err := p.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if got := (&outcome{state: state}).signal(); got != "SIGKILL" {
		t.Errorf("the command ended by %q, want SIGKILL", got)
	}
}

func TestBothWaysToListChildrenAgree(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{helperKey + "=sleep"}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	if got := childrenByParent(); !slices.Contains(got, cmd.Process.Pid) {
		t.Errorf("by parent: %v lacks %d", got, cmd.Process.Pid)
	}
	got, err := childrenByThread()
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("this kernel keeps no lists of children")
	}
	if err != nil || !slices.Contains(got, cmd.Process.Pid) {
		t.Errorf("by thread: %v, %v lacks %d", got, err, cmd.Process.Pid)
	}
}

// A process may call itself anything, brackets and spaces included.
func TestParentOfAProcessWithAnOddName(t *testing.T) {
	odd := filepath.Join(t.TempDir(), "a) R 1 (b")
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(odd, program, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(odd)
	cmd.Env = []string{helperKey + "=sleep"}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	if got := parent(cmd.Process.Pid); got != os.Getpid() {
		t.Errorf("parent is %d, want %d", got, os.Getpid())
	}
	if got := parent(1 << 30); got != 0 {
		t.Errorf("the parent of nobody is %d", got)
	}
}
