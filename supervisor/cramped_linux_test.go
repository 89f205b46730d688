package supervisor_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

// crampedKey makes this test binary a supervisor of that plugin that for a while may have no
// process more.
const crampedKey = "BROOD_TEST_CRAMPED"

func playCramped() bool {
	path := os.Getenv(crampedKey)
	if path == "" {
		return false
	}
	os.Unsetenv(crampedKey)
	if err := cramped(path); err != nil {
		fmt.Println(err)
	}
	return true
}

// cramped kills a worker while no other can be started, and prints what becomes of the pool
// and of the task that was queued meanwhile.
func cramped(path string) (err error) {
	s, err := supervisor.New(supervisor.Config{Pools: []supervisor.PoolConfig{{Plugin: path, Workers: 1}}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	events := s.Events(10_000)
	if err := s.Start(); err != nil {
		return err
	}
	first := next[event.WorkerReady](events)
	spareThreads()
	allow, err := processLimit()
	if err != nil {
		return err
	}
	if err := errors.Join(allow(1), syscall.Kill(first.PID, syscall.SIGKILL)); err != nil {
		return err
	}
	h, err := s.TrySubmit(task.Task{Name: "ok"})
	if err != nil {
		return err
	}
	fmt.Println(next[event.PoolDegraded](events).Reason)
	for range 4 { // more than are let pass without a delay
		next[event.WorkerExited](events)
	}
	fmt.Println("queued:", s.Snapshot().Queued)
	if err := allow(unix.RLIM_INFINITY); err != nil {
		return err
	}
	next[event.PoolRecovered](events)
	<-h.Done()
	fmt.Println("recovered:", s.Snapshot().Pools[0].Degraded == "")
	return nil
}

// next waits for an event of that type.
func next[E event.Event](events *event.Subscription) E {
	for e := range events.C() {
		if e, ok := e.(E); ok {
			return e
		}
	}
	panic("no more events")
}

// spareThreads has the runtime make threads while it can: it does not survive to be refused one.
func spareThreads() {
	const n = 32
	var met, gone sync.WaitGroup
	met.Add(n)
	for range n {
		gone.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			met.Done()
			met.Wait()
		})
	}
	gone.Wait()
}

// processLimit returns what sets how many processes this one's user may have, at most as
// many as now.
func processLimit() (func(uint64) error, error) {
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &old); err != nil {
		return nil, err
	}
	return func(n uint64) error {
		return unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: min(n, old.Cur), Max: old.Max})
	}, nil
}

// No process more can be had: the pool says why, the queue keeps its tasks, and all goes on as soon
// as there is room.
func TestPoolWithoutProcessesKeepsItsTasks(t *testing.T) {
	cmd := asLimitedUser(t)
	cmd.Env = append(os.Environ(), crampedKey+"="+plugin("faulty"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], "ulimit -u") || lines[1] != "queued: 1" || lines[2] != "recovered: true" {
		t.Errorf("got %s", out)
	}
}

// asLimitedUser is this program, to be run by a user whom limits limit.
func asLimitedUser(t *testing.T) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	limits, uid := limitedUser(t)
	if limits.User == "" {
		return exec.Command(self)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	path := plugin("self") // it lies where only root may go
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	return cmd
}
