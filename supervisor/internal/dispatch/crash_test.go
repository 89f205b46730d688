package dispatch

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
	"github.com/brood-run/brood/supervisor/internal/worker"
	"github.com/brood-run/brood/supervisor/task"
)

// Two counters: attempts, however they end, and workers ended. Each step is one start of
// the handler: e is an error, c a crash, + an answer.
func TestTwoCountersDecide(t *testing.T) {
	for _, c := range []struct {
		attempts, crashes int
		once              bool
		steps             string
		want              task.Status
		kind              string
	}{
		{3, 2, false, "ee+", task.Completed, ""},
		{3, 2, false, "eee", task.Dead, task.KindError},
		{3, 2, false, "c+", task.Completed, ""},
		{3, 2, false, "cc", task.Dead, task.KindCrashed},
		{3, 2, false, "cec", task.Dead, task.KindCrashed},
		{3, 2, false, "cee", task.Dead, task.KindError},
		{3, 5, false, "ccc", task.Dead, task.KindCrashed},
		{1, 5, false, "c", task.Dead, task.KindCrashed},
		{1, 5, false, "e", task.Dead, task.KindError},
		{9, 3, false, "ececec", task.Dead, task.KindCrashed},
		{3, 2, true, "+", task.Completed, ""},
		{3, 2, true, "e", task.Dead, task.KindError},
		{3, 2, true, "c", task.Dead, task.KindCrashed},
	} {
		t.Run(fmt.Sprintf("%d,%d,%v,%s", c.attempts, c.crashes, c.once, c.steps), func(t *testing.T) {
			cfg := settings()
			cfg.MaxCrashes = c.crashes
			bubble(t, cfg, func(t *testing.T, r *rig) {
				p := r.worker(0)
				r.submit("a", task.Options{MaxAttempts: c.attempts, AtMostOnce: c.once})
				starts := 0
				for _, step := range c.steps {
					if p.take(); len(p.pipe) == 0 {
						break
					}
					starts++
					switch step {
					case 'e':
						p.answer("a", ipc.OutcomeError)
					case '+':
						p.complete("a")
					case 'c':
						p.die(worker.ReasonSignal, "a")
						p = r.worker(0)
					}
					r.advance(time.Minute)
				}
				res := r.ended("a", c.want)
				if res.Err != nil && res.Err.Kind != c.kind {
					t.Errorf("died of %v, want %s", res.Err, c.kind)
				}
				if res.Started != starts || starts != len(c.steps) {
					t.Errorf("started %d times, %d seen", res.Started, starts)
				}
			})
		})
	}
}

func TestFirstRetryAfterACrashIsImmediate(t *testing.T) {
	cfg := settings()
	cfg.MaxCrashes = 3
	bubble(t, cfg, func(t *testing.T, r *rig) {
		r.submitAll("a")
		p := r.worker(0)
		p.take()
		p.die(worker.ReasonSignal, "a")
		r.state("a", task.StateQueued)
		p = r.worker(0)
		p.take()
		p.die(worker.ReasonSignal, "a")
		r.state("a", task.StateRetrying)
	})
}

// What waits unstarted in a dead worker's pipe loses nothing, keeps its order, and is
// not suspected of anything.
func TestUnstartedTasksOfADeadWorkerLoseNoAttempt(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := r.warm()
		r.submit("a", task.Options{})
		r.submit("b", task.Options{AtMostOnce: true})
		r.submit("c", task.Options{MaxAttempts: 1})
		p.take()
		if e := p.die(worker.ReasonSignal, "a"); e.Lost != 1 {
			t.Errorf("%d tasks lost an attempt", e.Lost)
		}
		wantOrder(t, r.worker(0), "a", "b", "c")
		for _, id := range []string{"b", "c"} {
			if res := r.ended(id, task.Completed); res.Started != 1 || len(res.Attempts) != 0 {
				t.Errorf("%s: %+v", id, res)
			}
		}
		if res := r.ended("a", task.Completed); res.Started != 2 || len(res.Attempts) != 1 {
			t.Errorf("a: %+v", res)
		}
	})
}

// Without a scoreboard the oldest tasks, as many as there are slots, count as started.
func TestWithoutScoreboardTheOldestCountAsStarted(t *testing.T) {
	cfg := settings()
	cfg.Slots = 2
	bubble(t, cfg, func(t *testing.T, r *rig) {
		p := r.warm()
		r.submitAll("a", "b", "c", "d")
		p.take()
		e := &worker.Exit{Reason: worker.ReasonSignal}
		p.exit(e)
		if e.Lost != 2 {
			t.Errorf("%d tasks lost an attempt", e.Lost)
		}
		var crashed []string
		for _, id := range []string{"a", "b", "c", "d"} {
			if r.jobs[id].crashes > 0 {
				crashed = append(crashed, id)
			}
		}
		if !slices.Equal(crashed, []string{"a", "b"}) {
			t.Errorf("crashed: %v", crashed)
		}
	})
}

// A worker that says it had not started its oldest task is believed, but not for ever.
func TestTaskThatIsNeverStartedByDyingWorkersEnds(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		r.submitAll("a")
		deaths := 0
		for ; deaths < 20 && len(r.results) == 0; deaths++ {
			p := r.worker(0)
			p.take()
			p.die(worker.ReasonSignal, "")
			r.advance(time.Minute)
		}
		if res := r.ended("a", task.Dead); res.Err.Kind != task.KindCrashed || deaths != maxLosses+1 {
			t.Errorf("%v after %d deaths", res.Err, deaths)
		}
	})
}

// A planned end costs nothing however often it comes.
func TestPlannedEndsCostNoAttempt(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		r.submit("a", task.Options{AtMostOnce: true})
		for range 3 * maxLosses {
			p := r.worker(0)
			p.take()
			p.die(worker.ReasonTTL, "")
		}
		wantOrder(t, r.worker(0), "a")
		r.ended("a", task.Completed)
	})
}

func TestDeathIsRecordedByItsReason(t *testing.T) {
	for reason, want := range map[worker.Reason]task.Outcome{
		worker.ReasonSignal:        task.OutcomeCrashed,
		worker.ReasonExitCode:      task.OutcomeCrashed,
		worker.ReasonClean:         task.OutcomeCrashed,
		worker.ReasonBadFrame:      task.OutcomeBadFrame,
		worker.ReasonHeartbeatLost: task.OutcomeHeartbeatLost,
		worker.ReasonHardTimeout:   task.OutcomeTimeout,
		worker.ReasonHardMemory:    task.OutcomeMemoryLimit,
	} {
		bubble(t, settings(), func(t *testing.T, r *rig) {
			p := r.worker(0)
			r.submit("a", task.Options{MaxAttempts: 1})
			p.take()
			r.advance(time.Second)
			e := &worker.Exit{Worker: "w1", PID: 42, Reason: reason, Ready: true, Err: fmt.Errorf("detail"),
				StartedKnown: true, Started: p.seq("a"), PeakRSS: 7, TaskCPU: 8, Output: "last words", Stack: "goroutine 1"}
			e.Process.Code, e.Process.Signal = -1, "SIGSEGV"
			p.exit(e)
			res := r.ended("a", task.Dead)
			got := res.Attempts[0]
			if res.Err.Kind != string(want) || got.Outcome != want {
				t.Errorf("%v: error %v, outcome %v, want %v", reason, res.Err, got.Outcome, want)
			}
			got.Message, got.Outcome = "", ""
			if (got != task.Attempt{N: 1, Worker: "w1", PID: 42, Signal: "SIGSEGV", ExitCode: -1, PeakRSS: 7, CPU: 8,
				Run: time.Second, OutputTail: "last words", Stack: "goroutine 1"}) {
				t.Errorf("%v: %+v", reason, got)
			}
		})
	}
}

// The neighbour of a task whose worker was killed for its sake crashed; it did not run
// into a timeout of its own.
func TestOnlyTheCulpritRanIntoTheLimit(t *testing.T) {
	cfg := settings()
	cfg.Slots, cfg.MaxAttempts = 2, 1
	bubble(t, cfg, func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.submit("a", task.Options{HardTimeout: time.Second})
		r.submit("b", task.Options{})
		p.take()
		r.advance(time.Second)
		if p.ended != worker.ReasonHardTimeout || p.culprit != p.seq("a") {
			t.Fatalf("ended for %v by task %d", p.ended, p.culprit)
		}
		p.die(worker.ReasonHardTimeout, "b")
		if a, b := r.ended("a", task.Dead).Attempts[0], r.ended("b", task.Dead).Attempts[0]; a.Outcome != task.OutcomeTimeout || b.Outcome != task.OutcomeCrashed {
			t.Errorf("a: %v, b: %v", a.Outcome, b.Outcome)
		}
	})
}

func TestLiesEndTheConversation(t *testing.T) {
	cfg := settings()
	bubble(t, cfg, func(t *testing.T, r *rig) {
		p := r.warm()
		r.submitAll("a", "b")
		p.take()
		answer := func(seq uint64, o ipc.Outcome) error {
			return p.lane.Results([]worker.Answer{{Result: wire.Result{Seq: seq, Outcome: o}}})
		}
		for name, lie := range map[string]error{
			"answers what it never had":         answer(99, ipc.OutcomeCompleted),
			"answers what it has answered":      answer(1, ipc.OutcomeCompleted),
			"answers what it cannot have begun": answer(p.seq("b"), ipc.OutcomeCompleted),
			"refuses what it never had":         answer(99, ipc.OutcomeUnstarted),
			"gives back what it never had":      p.lane.Recalled([]uint64{99}),
			"gives back what it has answered":   p.lane.Recalled([]uint64{1}),
		} {
			if lie == nil {
				t.Errorf("a worker that %s is believed", name)
			}
		}
		r.state("a", task.StateRunning)
		r.state("b", task.StateRunning)
	})
}

// The truth before a lie in the same read counts.
func TestAnswersBeforeALieAreKept(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.submitAll("a")
		p.take()
		truth, lie := worker.Answer{Result: wire.Result{Seq: p.seq("a")}}, worker.Answer{Result: wire.Result{Seq: 99}}
		if p.lane.Results([]worker.Answer{truth, lie}) == nil {
			t.Error("no error")
		}
		r.ended("a", task.Completed)
	})
}
