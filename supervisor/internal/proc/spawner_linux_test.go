package proc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestDescriptors(t *testing.T) {
	s := newSpawner(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	c := part("descriptor")
	c.Stderr, c.Extra = w, []*os.File{w}
	p, out := launchReading(t, s, c)
	_ = w.Close()
	if got := line(t, out); got != "0 EOF" {
		t.Errorf("stdin gives %q, want its end", got)
	}
	await(t, p)
	text := bufio.NewReader(r)
	if a, b := line(t, text), line(t, text); a != "to stderr" || b != "to three" {
		t.Errorf("got %q and %q", a, b)
	}
}

// The thread that forks must not end, whoever asked it to.
func TestChildDiesWithASupervisorThatIsKilled(t *testing.T) {
	supervisor := exec.Command("/proc/self/exe")
	supervisor.Env = []string{helperVar + "=supervisor"}
	out, err := supervisor.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := supervisor.Start(); err != nil {
		t.Fatal(err)
	}
	child := pids(t, bufio.NewReader(out))[0]
	dead := watchDeath(t, child) // fails if it died with the thread of its Start
	if st, err := readStat("/proc", child); err != nil || st.state == 'Z' {
		t.Errorf("the child did not survive the goroutine that started it: %c, %v", st.state, err)
	}
	if err := supervisor.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = supervisor.Wait() // it was killed
	dead()
}

func TestNoDescriptorLeaks(t *testing.T) {
	// The garbage collector closes forgotten files too, some time later.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	s := newSpawner(t)
	await(t, launch(t, s, Command{Path: "/bin/true"})) // opens what stays open
	before := entries(t, "/proc/self/fd")
	for range 200 {
		await(t, launch(t, s, Command{Path: "/bin/true"}))
	}
	if after := entries(t, "/proc/self/fd"); after > before {
		t.Errorf("%d descriptors before, %d after 200 processes", before, after)
	}
}

func TestFiftyAtOnce(t *testing.T) {
	s := newSpawner(t)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			c := Command{Path: "/bin/sh", Args: []string{"-c", "exit " + string(rune('0'+i%10))}}
			p, err := s.Start(t.Context(), c)
			if err != nil {
				t.Error(err)
				return
			}
			if <-p.Done(); p.Exit().Code != i%10 {
				t.Errorf("process %d: %v", i, p.Exit())
			}
		})
	}
	wg.Wait()
}

// Waiting for a process costs a goroutine, not a thread.
func TestThreadsDoNotGrowWithProcesses(t *testing.T) {
	s := newSpawner(t)
	before := entries(t, "/proc/self/task")
	for range 100 {
		launch(t, s, Command{Path: "/bin/sleep", Args: []string{"1000"}})
	}
	if after := entries(t, "/proc/self/task"); after > before+20 {
		t.Errorf("%d threads before, %d with 100 processes", before, after)
	}
}

func TestStartWithoutDescriptors(t *testing.T) {
	s := newSpawner(t)
	await(t, launch(t, s, Command{Path: "/bin/true"}))
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	none := syscall.Rlimit{Cur: 3, Max: old.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	_, err := s.Start(t.Context(), Command{Path: "/bin/true"})
	if e := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); e != nil {
		t.Fatal(e)
	}
	if !errors.Is(err, syscall.EMFILE) || errors.Is(err, ErrCannotStart) || !strings.Contains(err.Error(), "ulimit -n") {
		t.Errorf("got %v", err)
	}
	await(t, launch(t, s, Command{Path: "/bin/true"})) // and it passes
}

func TestStartThatCannotWork(t *testing.T) {
	s := newSpawner(t)
	for name, test := range map[string]struct {
		command Command
		want    string
	}{
		"missing":   {Command{Path: "/nonexistent/plugin"}, "there is no such file"},
		"directory": {Command{Path: "/bin/true", Dir: "/nonexistent"}, "working directory"},
		"a file":    {Command{Path: "/bin/true", Dir: "/etc/passwd"}, "is not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Start(t.Context(), test.command)
			if !errors.Is(err, ErrCannotStart) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// What we may execute, the worker's user may not.
func TestStartForbiddenToTheUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("running workers as somebody else needs root")
	}
	s := newSpawner(t)
	path := filepath.Join(t.TempDir(), "private.sh") // under folders of mode 0700 and up
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := s.Start(t.Context(), Command{Path: path, Dir: "/", Limits: Limits{User: "54321", Group: "54321"}})
	if !errors.Is(err, ErrCannotStart) || !strings.Contains(err.Error(), "the user it runs as may not execute it") {
		t.Errorf("got %v", err)
	}
}

func TestStartCancelled(t *testing.T) {
	s := newSpawner(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("no time")
	cancel(reason)
	// The thread may take the job first; then the process was started and is ours.
	for range 100 {
		p, err := s.Start(ctx, Command{Path: "/bin/true"})
		if err == nil {
			await(t, p)
			continue
		}
		if !errors.Is(err, reason) {
			t.Errorf("got %v", err)
		}
		return
	}
	t.Error("a cancelled context never kept a process from being started")
}

func TestCloseKillsWhatRuns(t *testing.T) {
	s := NewSpawner()
	p, out := launchReading(t, s, part("deaf"))
	line(t, out)
	s.Close()
	select {
	case <-p.Done():
	default:
		t.Fatal("Close did not wait for the process")
	}
	if p.Exit().Signal != "SIGKILL" {
		t.Errorf("got %v", p.Exit())
	}
	s.Close()
	for _, l := range []Limits{{}, {NoNewPrivs: true}} {
		if _, err := s.Start(t.Context(), Command{Path: "/bin/true", Limits: l}); !errors.Is(err, ErrSpawnerClosed) {
			t.Errorf("got %v", err)
		}
	}
}

func BenchmarkStart(b *testing.B) {
	for _, namespace := range []bool{false, true} {
		b.Run(fmt.Sprintf("namespace=%v", namespace), func(b *testing.B) {
			s := newSpawner(b)
			for b.Loop() {
				await(b, launch(b, s, Command{Path: "/bin/true", PIDNamespace: namespace}))
			}
		})
	}
}
