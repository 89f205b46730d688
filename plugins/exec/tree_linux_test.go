package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
)

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

// While several commands run, each one's strays are told from the others'.
func TestSweepSparesOtherCommands(t *testing.T) {
	r := testRunner(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The first command runs on after its own stray has become ours.
	told, settled := newRendezvous(t), newRendezvous(t)
	waitFirst := background(ctx, r, command{
		argv: []string{"sh", "-c", `"$1" "$2" && echo $$ > "$3" && exec sleep 600`, "sh", program, string(told), string(settled)},
		env:  map[string]string{helperKey: "leave"},
	})
	spared := told.pid(t)
	settled.pid(t)
	for name, c := range map[string]func(rendezvous) command{
		"marked": func(at rendezvous) command { return helper("leave", at) },
		"in the group": func(at rendezvous) command {
			return command{argv: []string{"sh", "-c", `env -i sleep 600 & echo $! > "$1"`, "sh", string(at)}}
		},
	} {
		at := newRendezvous(t)
		wait := background(t.Context(), r, c(at))
		stray := at.pid(t)
		if _, err := wait(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		expectGone(t, stray)
	}
	if err := syscall.Kill(spared, 0); err != nil {
		t.Errorf("the first command's stray: %v", err)
	}
	cancel()
	if _, err := waitFirst(); err != nil {
		t.Error(err)
	}
	expectGone(t, spared)
}

// A worker that is killed can do nothing more about its command; the kernel does.
func TestCommandDiesWithItsWorker(t *testing.T) {
	if err := adoptOrphans(); err != nil { // to see how the command ends
		t.Fatal(err)
	}
	at := newRendezvous(t)
	worker := exec.Command("/proc/self/exe", string(at))
	worker.Env = append(os.Environ(), helperKey+"=worker")
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	pid := at.pid(t)
	if err := worker.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = worker.Wait() // it was killed
	defer time.AfterFunc(10*time.Second, func() { _ = syscall.Kill(pid, syscall.SIGTERM) }).Stop()
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &ws, 0, nil); err != nil || ws.Signal() != syscall.SIGKILL {
		t.Errorf("the command ended with %#x, %v; want SIGKILL", int(ws), err)
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

// Older kernels have no pidfd that tells when a command has ended, and its output may have
// ended long before.
func TestCommandWithoutAPidfd(t *testing.T) {
	runtime.LockOSThread() // the command's life is tied to it
	defer runtime.UnlockOSThread()
	r := testRunner(t)
	out := &outcome{stdout: capture{limit: 100}, stderr: capture{limit: 100, tail: true}}
	s, err := openStreams(r.null, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	p, err := r.start("/bin/sh", command{argv: []string{"sh", "-c", "echo hi; exec >&- 2>&-; sleep 0.05; exit 3"}}, s)
	if err != nil {
		t.Fatal(err)
	}
	_ = syscall.Close(p.pidfd)
	p.pidfd = -1
	s.begin(out, p)
	s.awaitExit(p)
	s.drain(outputGrace)
	if err := r.bury(p); err != nil {
		t.Fatal(err)
	}
	if said, _ := out.stdout.bytes(); string(said) != "hi\n" || p.state.ExitCode() != 3 {
		t.Errorf("it said %q and ended with %v", said, p.state)
	}
}
