package supervisor_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

// debugKey makes this test binary a debugger of the process of that number.
const debugKey = "BROOD_TEST_DEBUG"

// playDebugger holds every thread of a process in its hands until the process has ended.
func playDebugger() bool {
	pid, err := strconv.Atoi(os.Getenv(debugKey))
	if err != nil {
		return false
	}
	runtime.LockOSThread() // it is a thread that debugs
	if err := attach(pid); err != nil {
		fmt.Println(err)
		return true
	}
	fmt.Println("attached")
	for { // a debugger learns of the end too, and lets go
		if _, err := syscall.Wait4(-1, nil, syscall.WALL, nil); errors.Is(err, syscall.ECHILD) {
			return true
		}
	}
}

// attach stops all threads, also those that start meanwhile.
func attach(pid int) error {
	held := map[int]bool{}
	for more := true; more; {
		more = false
		dirs, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
		if err != nil || len(dirs) == 0 {
			return fmt.Errorf("process %d is not there: %w", pid, err)
		}
		for _, dir := range dirs {
			tid, err := strconv.Atoi(filepath.Base(dir))
			if err != nil || held[tid] {
				continue
			}
			if err := syscall.PtraceAttach(tid); errors.Is(err, syscall.ESRCH) {
				continue // that thread has ended
			} else if err != nil {
				return err
			}
			if _, err := syscall.Wait4(tid, nil, syscall.WALL, nil); err != nil {
				return err
			}
			held[tid], more = true, true
		}
	}
	return nil
}

// A worker in the hands of a debugger neither runs nor listens to signals: it is found by its
// missing heartbeats and killed, and its task runs elsewhere.
func TestDebuggedWorkerIsReplaced(t *testing.T) {
	s := ready(t, probe(supervisor.PoolConfig{
		Workers: 1, Heartbeat: 50 * time.Millisecond, MissedHeartbeats: 4, MaxAttempts: 1,
	}))
	events := s.Events(1000)
	h := submit(t, s, "hold", "")
	entered(t, events, h)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	debugger := exec.Command(self)
	debugger.Env = append(os.Environ(), fmt.Sprintf("%s=%d", debugKey, s.Snapshot().Pools[0].Workers[0].PID))
	out, err := debugger.Output() // it ends when the worker has ended
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), syscall.EPERM.Error()) {
		t.Skipf("debugging is not permitted here: %s", out)
	}
	if string(out) != "attached\n" {
		t.Fatalf("the debugger: %s", out)
	}
	if r := wait(t, h); r.Status != task.Dead || r.Err.Kind != task.KindHeartbeatLost {
		t.Errorf("got %+v", r)
	}
	completed(t, run(t, s, "log", ""))
}
