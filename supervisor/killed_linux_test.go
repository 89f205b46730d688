package supervisor_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

// playKey makes this test binary a program with a supervisor of that plugin.
const playKey = "BROOD_TEST_SUPERVISOR_OF"

// playSupervisor runs two workers that hold a task and one that hangs before it serves, prints
// their pids, and waits to be killed.
func playSupervisor() bool {
	path := os.Getenv(playKey)
	if path == "" {
		return false
	}
	os.Unsetenv(playKey)
	s, err := supervisor.New(supervisor.Config{Pools: []supervisor.PoolConfig{
		{Plugin: path, Workers: 2, Window: 1, Tasks: []string{"cling"}},
		{Plugin: filepath.Join(filepath.Dir(path), "faulty"), Workers: 1, Env: []string{"FAULTY_START=hang"}, Tasks: []string{"ok"}},
	}})
	if err != nil {
		panic(err)
	}
	events := s.Events(1000)
	if err := s.Start(); err != nil {
		panic(err)
	}
	for range 2 {
		if _, err := s.TrySubmit(task.Task{Name: "cling"}); err != nil {
			panic(err)
		}
	}
	for busy, hung := 0, 0; busy < 2 || hung == 0; {
		switch e := (<-events.C()).(type) {
		case event.TaskProgress:
			busy++
		case event.WorkerStarting:
			if e.Pool == "faulty" {
				hung = e.PID
			}
		}
	}
	for _, p := range s.Snapshot().Pools {
		for _, w := range p.Workers {
			fmt.Println(w.PID)
		}
	}
	select {}
}

// A supervisor that is killed takes its workers with it, also one that is stopped and one
// that does not listen: neither could read the end of its pipe.
func TestWorkersDieWithAKilledSupervisor(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), playKey+"="+plugin("probe"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pids [3]int
	lines := bufio.NewReader(out)
	for i := range pids {
		if _, err := fmt.Fscanln(lines, &pids[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Kill(pids[0], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	for _, pid := range pids {
		gone(t, pid)
	}
}

// What a process was before ReapOrphans it is again after Close.
func TestReaperIsGivenBack(t *testing.T) {
	adopting(t)
	cfg := faulty(supervisor.PoolConfig{Workers: 1})
	cfg.ReapOrphans = true
	s := ready(t, cfg)
	s.Close()
	var is int32
	if err := unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&is)), 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	if is != 0 {
		t.Error("orphans still come to this process, and nobody reaps them")
	}
}
