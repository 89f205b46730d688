package supervisor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

// Every misbehaviour ends as it should, with a record that says what happened, and
// hurts nothing else.
func TestEveryFailureExplainsItself(t *testing.T) {
	s := start(t, faulty(supervisor.PoolConfig{Workers: 2, HardMemoryLimit: 128 << 20}))
	var good []*supervisor.Handle
	for _, c := range []struct {
		name, payload string
		status        task.Status
		outcome       task.Outcome // of every attempt
		starts        int
		signal        string
		code          int
		message       string // in the first attempt's
	}{
		{"fail", `{"message":"no luck"}`, task.Dead, task.OutcomeError, 3, "", -1, "no luck"},
		{"retry", `{"succeed_on":3}`, task.Completed, task.OutcomeError, 3, "", -1, "attempt 1 fails"},
		{"retry", `{"nonsense":3}`, task.Dead, task.OutcomeError, 1, "", -1, "nonsense"},
		{"panic", `{"message":"boom"}`, task.Dead, task.OutcomePanic, 3, "", -1, "boom"},
		{"exit", `{"code":3}`, task.Dead, task.OutcomeCrashed, 2, "", 3, "exit code 3"},
		{"exit", `{"code":0}`, task.Dead, task.OutcomeCrashed, 2, "", 0, "exit code 0"},
		{"signal", `{"signal":"SEGV"}`, task.Dead, task.OutcomeCrashed, 2, "SIGSEGV", -1, "killed by SIGSEGV"},
		{"signal", `{"signal":"KILL"}`, task.Dead, task.OutcomeCrashed, 2, "SIGKILL", -1, "killed by SIGKILL"},
		{"badframe", "", task.Dead, task.OutcomeBadFrame, 2, "SIGKILL", -1, "broke the protocol"},
		{"sleep", `{"ms":60000}`, task.Dead, task.OutcomeTimeout, 3, "", -1, "soft timeout after 100ms"},
		{"leak", `{"mib_per_s":1024}`, task.Dead, task.OutcomeMemoryLimit, 2, "SIGKILL", -1, "hard memory limit"},
	} {
		t.Run(c.name+c.payload, func(t *testing.T) {
			for range 5 {
				good = append(good, submit(t, s, "ok", ""))
			}
			bad := work(c.name, c.payload)
			if c.outcome == task.OutcomeTimeout {
				bad.SoftTimeout = 100 * time.Millisecond
			}
			h, err := s.Submit(t.Context(), bad)
			if err != nil {
				t.Fatal(err)
			}
			r := wait(t, h)
			if r.Status != c.status || r.Started != c.starts {
				t.Errorf("%s after %d starts (%v), want %s after %d", r.Status, r.Started, r.Err, c.status, c.starts)
			}
			for i, a := range r.Attempts {
				if a.N != i+1 || a.Outcome != c.outcome || a.Signal != c.signal || a.ExitCode != c.code || a.Worker == "" || a.PID == 0 {
					t.Errorf("attempt %+v", a)
				}
			}
			if len(r.Attempts) == 0 || !strings.Contains(r.Attempts[0].Message, c.message) {
				t.Errorf("attempts %+v, want message %q", r.Attempts, c.message)
			}
		})
	}
	for _, h := range good {
		if r := completed(t, wait(t, h)); r.Started != 1 || len(r.Attempts) != 0 {
			t.Errorf("a good task suffered: %+v", r)
		}
	}
}

func TestHungHandlerShowsWhereItHangs(t *testing.T) {
	s := start(t, faulty(supervisor.PoolConfig{HardTimeout: 100 * time.Millisecond, MaxAttempts: 1}))
	r := run(t, s, "hang", "")
	if r.Status != task.Dead || r.Err.Kind != task.KindTimeout || len(r.Attempts) != 1 {
		t.Fatalf("got %+v", r)
	}
	a := r.Attempts[0]
	if a.Outcome != task.OutcomeTimeout || !strings.Contains(a.Stack, "main.hangForever") || a.Run < 100*time.Millisecond {
		t.Errorf("after %v, %s, stack %q", a.Run, a.Outcome, a.Stack)
	}
}

func TestLastWordsAreInTheRecord(t *testing.T) {
	s := ready(t, faulty(supervisor.PoolConfig{Workers: 1, MaxAttempts: 1, HardTimeout: 200 * time.Millisecond}))
	r := run(t, s, "panic", `{"message":"boom"}`)
	if len(r.Attempts) != 1 || !strings.Contains(r.Attempts[0].Stack, "panics") {
		t.Errorf("got %+v", r)
	}
	r = run(t, s, "flood", "")
	if a := r.Attempts[0]; !strings.Contains(a.OutputTail, "the flood rises") || len(a.OutputTail) > 8<<10 {
		t.Errorf("%d bytes of output: %.80q", len(a.OutputTail), a.OutputTail)
	}
}

// The process is killed in the middle of the task, before it has gone far over its limit.
func TestHardMemoryLimitKillsInTheMiddleOfTheTask(t *testing.T) {
	const limit = 128 << 20
	s := ready(t, faulty(supervisor.PoolConfig{Workers: 1, HardMemoryLimit: limit, MaxAttempts: 1}))
	r := run(t, s, "leak", `{"mib_per_s":1024,"hold_ms":60000}`)
	if r.Status != task.Dead || r.Err.Kind != task.KindMemoryLimit || len(r.Attempts) != 1 {
		t.Fatalf("got %+v", r)
	}
	if a := r.Attempts[0]; a.PeakRSS < limit || a.PeakRSS > limit+64<<20 {
		t.Errorf("peak %d MiB, limit %d MiB", a.PeakRSS>>20, limit>>20)
	}
	if n := s.Snapshot().Pools[0].Restarts["hard_memory_limit"]; n != 1 {
		t.Errorf("restarts: %v", s.Snapshot().Pools[0].Restarts)
	}
}
