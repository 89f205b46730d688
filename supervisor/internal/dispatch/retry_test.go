package dispatch

import (
	"fmt"
	"testing"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

func TestErrorsAreRetriedUntilAttemptsAreUsedUp(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.submitAll("a")
		for n := 1; n <= 3; n++ {
			p.take()
			if e := p.pipe[0]; e.Attempt != uint16(n) || e.MaxAttempts != 3 {
				t.Errorf("attempt %d of %d, want %d of 3", e.Attempt, e.MaxAttempts, n)
			}
			p.answer("a", ipc.OutcomeError)
			r.advance(time.Duration(n*n) * time.Second) // at least the longest backoff
		}
		res := r.ended("a", task.Dead)
		if res.Err.Kind != task.KindError || res.Err.Message != "says w1" || res.Started != 3 || len(res.Attempts) != 3 {
			t.Errorf("got %+v", res)
		}
		for i, a := range res.Attempts {
			if a.N != i+1 || a.Outcome != task.OutcomeError || a.Worker != "w1" || a.PID != 42 || a.ExitCode != -1 {
				t.Errorf("attempt %d: %+v", i, a)
			}
		}
	})
}

// A result that is too large for whoever keeps it is refused; no other attempt would make it smaller.
func TestResultsThatAreTooLarge(t *testing.T) {
	cfg := settings()
	cfg.MaxResult = 1000
	bubble(t, cfg, func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.submitAll("fits", "large")
		p.take()
		p.reply("fits", wire.Result{Outcome: ipc.OutcomeCompleted, Payload: make([]byte, 1000)})
		p.take()
		p.reply("large", wire.Result{Outcome: ipc.OutcomeCompleted, Payload: make([]byte, 1001)})
		if got := r.ended("fits", task.Completed); len(got.Payload) != 1000 {
			t.Errorf("a result of %d bytes", len(got.Payload))
		}
		got := r.ended("large", task.Dead)
		if got.Err.Kind != task.KindPermanent || got.Err.Message != "result of 1001 bytes is over the limit of 1000" || got.Payload != nil || got.Started != 1 {
			t.Errorf("got %+v", got)
		}
	})
}

// Full jitter over a bound that doubles: delays differ, reach beyond the bound before,
// and never exceed their own.
func TestBackoffDoublesWithFullJitter(t *testing.T) {
	cfg := settings()
	cfg.MaxAttempts = 4
	events := cfg.Events.Subscribe(10_000)
	bubble(t, cfg, func(t *testing.T, r *rig) {
		p := r.worker(0)
		for i := range 100 {
			r.submitAll(fmt.Sprint(i))
		}
		for len(r.results) < 100 {
			for len(p.take()) > 0 || len(p.pipe) > 0 {
				p.answer(p.pipe[0].TaskID, ipc.OutcomeError)
			}
			r.advance(100 * time.Millisecond)
		}
	})
	cfg.Events.Close()
	longest, short := map[int]time.Duration{}, map[int]int{}
	for e := range events.C() {
		if e, ok := e.(event.TaskRetrying); ok {
			longest[e.Attempt] = max(longest[e.Attempt], e.Delay)
			if e.Delay < 500*time.Millisecond {
				short[e.Attempt]++
			}
		}
	}
	for attempt, bound := range map[int]time.Duration{2: time.Second, 3: 2 * time.Second, 4: 4 * time.Second} {
		if d := longest[attempt]; d > bound || d < bound*3/4 {
			t.Errorf("attempt %d was delayed by up to %v, the bound is %v", attempt, d, bound)
		}
		if short[attempt] == 0 {
			t.Errorf("no attempt %d came early", attempt)
		}
	}
	if len(longest) != 3 {
		t.Errorf("retries before attempts %v", longest)
	}
}

func TestHandlerChoosesWhatFollows(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.submitAll("permanent", "unknown", "later", "panic")
		p.take()
		p.answer("permanent", ipc.OutcomePermanent)
		p.take()
		p.answer("unknown", ipc.OutcomeUnknown)
		p.take()
		p.reply("later", wire.Result{Outcome: ipc.OutcomeRetryAfter, RetryAfter: 90_000})
		p.take()
		p.reply("panic", wire.Result{Outcome: ipc.OutcomePanic, Stack: []byte("goroutine 1")})

		if res := r.ended("permanent", task.Dead); res.Err.Kind != task.KindPermanent || res.Started != 1 {
			t.Errorf("permanent: %+v", res)
		}
		if res := r.ended("unknown", task.Rejected); res.Err.Kind != task.KindUnknownTask {
			t.Errorf("unknown: %+v", res)
		}
		r.advance(time.Second)
		r.state("panic", task.StateQueued)
		p.take()
		p.complete("panic")
		res := r.ended("panic", task.Completed)
		if len(res.Attempts) != 1 || res.Attempts[0].Outcome != task.OutcomePanic || res.Attempts[0].Stack == "" {
			t.Errorf("panic: %+v", res)
		}
		r.advance(89*time.Second - time.Millisecond)
		r.state("later", task.StateRetrying)
		r.advance(2 * time.Millisecond)
		r.state("later", task.StateQueued)
	})
}

func TestTaskWithoutHandlerIsRejected(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		j := r.job("a", task.Options{})
		j.Result.Task.Name = "nobody"
		r.d.TrySubmit(j, time.Now())
		p := r.worker(0)
		if got := p.take(); got != nil {
			t.Errorf("%v was handed out", got)
		}
		res := r.ended("a", task.Rejected)
		if res.Err.Kind != task.KindUnknownTask || res.Err.Message != `the plugin has no task "nobody"; it serves: x` {
			t.Errorf("got %v", res.Err)
		}
	})
}

func TestOnlyHandlerNeedsNoName(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		r.submitAll("a")
		p := r.worker(0)
		p.take()
		if p.pipe[0].Name != "x" {
			t.Errorf("name on the wire: %q", p.pipe[0].Name)
		}
		p.complete("a")
		if res := r.ended("a", task.Completed); res.Task.Name != "x" {
			t.Errorf("name in the result: %q", res.Task.Name)
		}
	})
}

func TestRecordsOfSuccessAreKeptOnRequest(t *testing.T) {
	for _, keep := range []bool{false, true} {
		cfg := settings()
		cfg.RecordAttempts = keep
		bubble(t, cfg, func(t *testing.T, r *rig) {
			p := r.worker(0)
			r.submitAll("a")
			r.advance(time.Second)
			p.take()
			r.advance(time.Second)
			p.reply("a", wire.Result{RunNS: uint64(time.Millisecond), Payload: []byte("answer")})
			res := r.ended("a", task.Completed)
			if string(res.Payload) != "answer" || res.Queued != time.Second || res.Run != time.Millisecond || res.Started != 1 {
				t.Errorf("got %+v", res)
			}
			if len(res.Attempts) == 1 != keep {
				t.Errorf("keep %v: attempts %+v", keep, res.Attempts)
			}
		})
	}
}

// Attempts without end leave a bounded record: the first few and the last.
func TestRecordOfManyAttemptsIsBounded(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.submit("a", task.Options{MaxAttempts: 100})
		for range 100 {
			p.take()
			p.reply("a", wire.Result{Outcome: ipc.OutcomeRetryAfter})
		}
		as := r.ended("a", task.Dead).Attempts
		if len(as) != maxRecords || as[0].N != 1 || as[maxRecords-1].N != 100 {
			t.Errorf("%d records, from %d to %d", len(as), as[0].N, as[len(as)-1].N)
		}
	})
}
