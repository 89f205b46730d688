package supervisor_test

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

// As many processes as tasks, and no caller waits for an old one to leave.
func TestRecyclingIsNotOnTheCallersPath(t *testing.T) {
	const n = 50
	s := ready(t, faulty(supervisor.PoolConfig{Workers: 2, MaxTasksPerChild: 1, RecycleJitter: -1}))
	pids, began := map[int]bool{}, time.Now()
	for range n {
		pids[pidOf(t, run(t, s, "pid", ""))] = true
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("%d tasks took %v", n, took)
	}
	if len(pids) != n {
		t.Errorf("%d processes for %d tasks", len(pids), n)
	}
}

// A worker that takes its time to leave does so while its replacement works.
func TestNoTaskWaitsForAWorkerThatLeaves(t *testing.T) {
	const stops = 3 * time.Second
	s := ready(t, probe(supervisor.PoolConfig{
		Workers: 1, MaxTasksPerChild: 10, RecycleJitter: -1, Env: []string{"PROBE_STOP=" + stops.String()},
	}))
	for i := range 15 {
		began := time.Now()
		completed(t, run(t, s, "log", ""))
		if took := time.Since(began); took > stops/2 {
			t.Errorf("task %d took %v", i, took)
		}
	}
}

// A new process shares the peak of the one that forked it; that is not what it uses.
func TestPeakIsNotTakenForCurrentMemory(t *testing.T) {
	ballast := make([]byte, 256<<20)
	for i := 0; i < len(ballast); i += 4096 {
		ballast[i] = 1
	}
	s := ready(t, faulty(supervisor.PoolConfig{Workers: 1, SoftMemoryLimit: 128 << 20, HardMemoryLimit: 192 << 20}))
	first := pidOf(t, run(t, s, "pid", ""))
	for range 20 {
		completed(t, run(t, s, "sleep", `{"ms":20}`)) // so that somebody looks at it
		if pid := pidOf(t, run(t, s, "pid", "")); pid != first {
			t.Fatalf("worker %d was replaced by %d: %v", first, pid, s.Snapshot().Pools[0].Restarts)
		}
	}
	runtime.KeepAlive(ballast)
}

// Beyond its soft limit a worker is replaced, after the task.
func TestSoftMemoryLimitRecyclesAfterTheTask(t *testing.T) {
	s := ready(t, faulty(supervisor.PoolConfig{Workers: 1, SoftMemoryLimit: 64 << 20, RecycleJitter: -1}))
	events := s.Events(1000)
	for leaked := 0; leaked <= 64; { // how fast memory can be had depends on the machine
		var answer struct{ MiB int }
		r := completed(t, run(t, s, "leak", `{"mib_per_s":4096,"hold_ms":100}`))
		if err := json.Unmarshal(r.Payload, &answer); err != nil || r.Started != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		leaked += answer.MiB
	}
	e := await(t, events, func(event.WorkerExited) bool { return true })
	if e.Reason != "soft_memory_limit" || e.Exit != "exit code 0" {
		t.Errorf("got %v", e)
	}
}

// Two tasks of 150 ms are each within 250 ms, also if one waits for the other in the pipe.
func TestDeadlineClockStartsWithTheHandler(t *testing.T) {
	s := ready(t, faulty(supervisor.PoolConfig{Workers: 1, HardTimeout: 250 * time.Millisecond}))
	for range 50 { // opens the window
		completed(t, run(t, s, "ok", ""))
	}
	var all []*supervisor.Handle
	for range 4 {
		all = append(all, submit(t, s, "sleep", `{"ms":150}`))
	}
	for _, h := range all {
		if r := completed(t, wait(t, h)); r.Started != 1 {
			t.Errorf("got %+v", r)
		}
	}
}

// Killed while everybody writes large results: nobody else notices.
func TestKilledWorkerDoesNotWedgeTheOthers(t *testing.T) {
	s := ready(t, echo(supervisor.PoolConfig{Workers: 3, MaxAttempts: 100, MaxCrashes: 100, BackoffBase: time.Millisecond}))
	payload := make([]byte, 1<<20)
	var all []*supervisor.Handle
	for i := range 60 {
		h, err := s.Submit(t.Context(), task.Task{Payload: payload})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, h)
		if i%6 == 5 {
			if pids := children(t, os.Getpid()); len(pids) > 0 {
				kill(t, pids[i%len(pids)])
			}
		}
	}
	for _, h := range all {
		if r := completed(t, wait(t, h)); len(r.Payload) != len(payload) {
			t.Errorf("%d bytes came back", len(r.Payload))
		}
	}
}

// One that is stopped in the middle of a large result holds nothing that another needs.
func TestStoppedWorkerDoesNotWedgeTheOthers(t *testing.T) {
	s := create(t, echo(supervisor.PoolConfig{Workers: 2, Window: 1, Heartbeat: time.Hour})) // nobody rescues it
	events := s.Events(1000)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	isReady := func(event.WorkerReady) bool { return true }
	stopped, large := await(t, events, isReady).PID, task.Task{Payload: make([]byte, 8<<20)}
	await(t, events, isReady)
	if err := syscall.Kill(stopped, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var done atomic.Int64
	for range 20 {
		h, err := s.Submit(t.Context(), large)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			<-h.Done()
			done.Add(1)
		}()
	}
	eventually(t, "all tasks but the one of the stopped worker are done", func() bool { return done.Load() == 19 })
	if err := syscall.Kill(stopped, syscall.SIGCONT); err != nil {
		t.Error(err)
	}
}

// A worker holds its own pipes and nobody else's: else an end of file would not be one.
func TestWorkersDoNotInheritOneAnothersPipes(t *testing.T) {
	s := start(t, faulty(supervisor.PoolConfig{Workers: 4}))
	events := s.Events(1000)
	pids := map[int]bool{}
	for len(pids) < 4 {
		for _, w := range s.Snapshot().Pools[0].Workers {
			if w.State == "ready" {
				pids[w.PID] = true
			}
		}
		if len(pids) < 4 {
			await(t, events, func(event.WorkerReady) bool { return true })
		}
	}
	owner := map[string]int{}
	for pid := range pids {
		for fd := 1; fd < 100; fd++ {
			to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, fd))
			if err != nil || !strings.HasPrefix(to, "pipe:") {
				continue
			}
			if fd > 4 && owner[to] == 0 {
				continue // its runtime's own
			}
			if other := owner[to]; other != 0 && other != pid {
				t.Errorf("%s is fd %d of worker %d and belongs to %d", to, fd, pid, other)
			}
			owner[to] = pid
		}
	}
	if len(owner) < 16 {
		t.Errorf("found only %d pipes of 4 workers", len(owner))
	}
}

// The parent-death signal follows the thread that forked; that one must stay.
func TestWorkersOutliveTheThreadThatStartedThem(t *testing.T) {
	s := create(t, faulty(supervisor.PoolConfig{Workers: 1}))
	over := make(chan struct{})
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		defer close(over)
		if err := s.Start(); err != nil {
			t.Error(err)
		}
	}()
	<-over
	first := pidOf(t, run(t, s, "pid", ""))
	for range 50 {
		done := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(done)
		}()
		<-done
	}
	if pid := pidOf(t, run(t, s, "pid", "")); pid != first {
		t.Errorf("worker %d died with a thread: %v", first, s.Snapshot().Pools[0].Restarts)
	}
}

func TestGrandchildIsKilledWithItsWorker(t *testing.T) {
	for _, setsid := range []bool{false, true} {
		t.Run(fmt.Sprintf("setsid=%v", setsid), func(t *testing.T) {
			cfg := faulty(supervisor.PoolConfig{Workers: 1})
			cfg.ReapOrphans = setsid // who leaves the group is found by adoption
			adopting(t)
			s := ready(t, cfg)
			pid := pidOf(t, run(t, s, "grandchild", fmt.Sprintf(`{"setsid":%v,"ms":600000}`, setsid)))
			if !alive(pid) {
				t.Fatal("there is no grandchild")
			}
			run(t, s, "exit", "")
			gone(t, pid)
			s.Close()
		})
	}
}

// The slot of a task that timed out is free when its process is gone, not before. One that
// is stopped takes longest.
func TestTimeoutFreesTheSlotWithTheProcess(t *testing.T) {
	for _, name := range []string{"hang", "stop"} {
		t.Run(name, func(t *testing.T) {
			s := ready(t, faulty(supervisor.PoolConfig{Workers: 1, HardTimeout: 50 * time.Millisecond, MaxAttempts: 1}))
			events := s.Events(1000)
			late, next := submit(t, s, name, ""), submit(t, s, "pid", "")
			if !diedBefore(t, events, next) {
				t.Error("the next task was started beside a process that still lived")
			}
			completed(t, wait(t, next))
			if r := wait(t, late); r.Err.Kind != task.KindTimeout {
				t.Errorf("got %+v", r)
			}
		})
	}
}

// diedBefore says whether a worker had died of its hard timeout when a task was started.
func diedBefore(t *testing.T, events *event.Subscription, next *supervisor.Handle) (died bool) {
	t.Helper()
	for {
		switch e := await(t, events, func(event.Event) bool { return true }).(type) {
		case event.WorkerExited:
			died = died || e.Reason == "hard_timeout"
			if alive(e.PID) {
				t.Error("it was said to have exited and lives")
			}
		case event.TaskStarted:
			if e.Task == next.ID() {
				return died
			}
		}
	}
}
