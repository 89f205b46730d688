package supervisor_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

// Neither lost nor tried for ever.
func TestCrashIsNeitherLostNorLoops(t *testing.T) {
	s := ready(t, faulty(supervisor.PoolConfig{Workers: 2, MaxAttempts: 100, MaxCrashes: 4}))
	r := run(t, s, "exit", "")
	if r.Status != task.Dead || r.Started != 4 || !strings.HasPrefix(r.Err.Message, "ended 4 workers, the limit is 4") {
		t.Errorf("%d starts, %v", r.Started, r.Err)
	}
}

// A plugin that dies at start costs few processes, says why, and keeps the queue.
func TestCrashLoopBacksOff(t *testing.T) {
	s := create(t, faulty(supervisor.PoolConfig{Workers: 4, Env: []string{"FAULTY_START=exit"}}))
	events := s.Events(10_000)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	h := submit(t, s, "ok", "")
	starts := 0
	for second := time.After(time.Second); second != nil; {
		select {
		case e := <-events.C():
			if _, ok := e.(event.WorkerStarting); ok {
				starts++
			}
		case <-second:
			second = nil
		}
	}
	if starts < 3 || starts > 12 {
		t.Errorf("%d processes were started in a second", starts)
	}
	snapshot := s.Snapshot()
	if d := snapshot.Pools[0].Degraded; !strings.Contains(d, "exit code 7") || !strings.Contains(d, "cannot start, as asked") {
		t.Errorf("degraded: %q", d)
	}
	if snapshot.Queued != 1 {
		t.Errorf("%d tasks are queued", snapshot.Queued)
	}
	s.Close()
	if r := wait(t, h); r.Status != task.Cancelled {
		t.Errorf("got %+v", r)
	}
}

func TestPrintInTaskIsHarmless(t *testing.T) {
	cfg := faulty(supervisor.PoolConfig{Workers: 1})
	cfg.RecordAttempts = true
	s := ready(t, cfg)
	garbage := strings.Repeat(`\u0000\u0001|1|2|tcp|x|grpc`, 10)
	r := completed(t, run(t, s, "print", `{"stdout":"`+garbage+`","stderr":"`+garbage+`","lines":2000}`))
	if string(r.Payload) != `{"stdout":2000,"stderr":2000}` || len(r.Attempts) != 1 || len(r.Attempts[0].OutputTail) < 4<<10 {
		t.Errorf("got %.200q", r.Payload)
	}
	completed(t, run(t, s, "ok", ""))
}

// A worker in a long task does not keep the others from being replaced.
func TestRecyclingDoesNotWaitForTheBusy(t *testing.T) {
	s := start(t, probe(supervisor.PoolConfig{Workers: 2, Window: 1, TTL: 50 * time.Millisecond, RecycleJitter: -1}))
	events := s.Events(10_000)
	h := submit(t, s, "hold", "")
	busy := await(t, events, func(e event.TaskStarted) bool { return e.Task == h.ID() })
	for range 3 {
		e := await(t, events, func(event.WorkerExited) bool { return true })
		if e.PID == busy.PID || e.Reason != "ttl" {
			t.Fatalf("got %v", e)
		}
	}
	h.Cancel()
	wait(t, h)
}

// The context of Submit is for getting in; retries are none of its business.
func TestRetryDoesNotNeedTheSubmittersContext(t *testing.T) {
	s := ready(t, faulty(supervisor.PoolConfig{Workers: 1}))
	ctx, cancel := context.WithCancel(t.Context())
	h, err := s.Submit(ctx, work("retry", `{"succeed_on":3}`))
	cancel()
	if err != nil {
		t.Fatal(err)
	}
	if r := completed(t, wait(t, h)); r.Started != 3 {
		t.Errorf("got %+v", r)
	}
}

// Limits that are equal on paper differ from worker to worker.
func TestJitterSpreadsTheLimits(t *testing.T) {
	s := ready(t, faulty(supervisor.PoolConfig{Workers: 1, MaxTasksPerChild: 20, RecycleJitter: 0.5}))
	did := map[int]int{}
	for r := range s.Map(t.Context(), count(400, "pid"), supervisor.MapOptions{}) {
		did[pidOf(t, r)]++
	}
	limits := map[int]bool{}
	for pid, n := range did {
		if n > 20 {
			t.Errorf("process %d did %d tasks", pid, n)
		}
		limits[n] = true
	}
	if len(limits) < 3 || len(did) < 21 {
		t.Errorf("%d workers did as many tasks as: %v", len(did), did)
	}
}

// A reader that is gone blocks who submits, not what runs.
func TestUnreadResultsBlockNoWorker(t *testing.T) {
	cfg := echo(supervisor.PoolConfig{Workers: 2})
	cfg.ResultLimit = 10
	s := ready(t, cfg)
	accepted := 0
	for {
		if _, err := s.TrySubmit(task.Task{}); err != nil {
			break
		}
		accepted++
	}
	if accepted < 10 {
		t.Errorf("only %d tasks were let in", accepted)
	}
	eventually(t, "all have ended", func() bool { return s.Len() == 0 })
	if _, err := s.TrySubmit(task.Task{}); !errors.Is(err, supervisor.ErrQueueFull) {
		t.Errorf("nobody has read a result, and more are let in: %v", err)
	}
	results, err := s.Collect(t.Context())
	if err != nil || len(results) != accepted {
		t.Fatalf("%d results of %d, %v", len(results), accepted, err)
	}
	completed(t, run(t, s, "", ""))
}

// A result larger than all limits on bytes passes, and so do the small ones behind it.
func TestHugeResultDoesNotBlockSmallOnes(t *testing.T) {
	s := ready(t, echo(supervisor.PoolConfig{Workers: 2}))
	in := []task.Task{{Payload: make([]byte, 8<<20)}}
	for range 20 {
		in = append(in, task.Task{Payload: []byte("small")})
	}
	n := 0
	for r := range s.Map(t.Context(), tasks(in...), supervisor.MapOptions{LimitBytes: 1 << 10}) {
		completed(t, r)
		n++
	}
	if n != len(in) {
		t.Errorf("%d results", n)
	}
}

// A process that was stopped, by whomever, is killed and its task runs elsewhere.
func TestStoppedWorkerIsReplaced(t *testing.T) {
	s := ready(t, probe(supervisor.PoolConfig{Workers: 1, Heartbeat: 50 * time.Millisecond, MissedHeartbeats: 4, MaxAttempts: 1}))
	events := s.Events(1000)
	h := submit(t, s, "hold", "")
	entered(t, events, h)
	if err := syscall.Kill(s.Snapshot().Pools[0].Workers[0].PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(10*time.Second, func() { s.Close() })
	defer late.Stop()
	r := wait(t, h)
	if r.Status != task.Dead || r.Err.Kind != task.KindHeartbeatLost || r.Attempts[0].Outcome != task.OutcomeHeartbeatLost {
		t.Fatalf("got %+v", r)
	}
	completed(t, run(t, s, "log", ""))
}

func TestNothingIsLeftBehind(t *testing.T) {
	life := func() {
		s := ready(t, faulty(supervisor.PoolConfig{Workers: 2, MaxTasksPerChild: 3, MaxAttempts: 1}))
		for _, name := range []string{"ok", "exit", "badframe", "panic", "signal", "grandchild", "ok", "ok"} {
			run(t, s, name, "")
		}
		s.Close()
	}
	life() // what is made once is made now
	files, dirs := openFiles(t), temporary(t)
	for range 3 {
		life()
	}
	if n := openFiles(t); n > files {
		t.Errorf("%d descriptors were open, now %d", files, n)
	}
	if n := temporary(t); n > dirs {
		t.Errorf("%d plugin directories were there, now %d", dirs, n)
	}
}

// temporary counts what go-plugin makes for each plugin.
func temporary(t testing.TB) (n int) {
	t.Helper()
	entries, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "plugin-dir") {
			n++
		}
	}
	return n
}
