package dispatch

import (
	"slices"
	"testing"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
	"github.com/brood-run/brood/supervisor/internal/worker"
	"github.com/brood-run/brood/supervisor/task"
)

// lease queues a task that a broker keeps.
func (r *rig) lease(id string, o task.Options, p Past) *Job {
	j := &Job{}
	j.InitLeased(task.Task{ID: id, Options: o}, r, p)
	r.jobs[id] = j
	r.d.SubmitLeased([]*Job{j})
	return j
}

// returned checks that a job went back to its broker, and after what delay it may come again.
func (r *rig) returned(id string) time.Duration {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	res, ended := r.results[id]
	delay, ok := r.jobs[id].Returned()
	if !ended || !ok || res.Status != "" {
		r.t.Fatalf("task %s: told %v, returned %v, status %q; want it returned without a result", id, ended, ok, res.Status)
	}
	return delay
}

// leave stops a rig whose jobs have all been told of; returned ones do not count as done.
func (r *rig) leave() {
	r.t.Helper()
	drained := r.d.Stop()
	for len(r.puppets) > 0 {
		r.puppets[0].exit(&worker.Exit{Reason: worker.ReasonShutdown})
	}
	select {
	case <-drained:
	default:
		r.t.Fatalf("not drained: %+v", r.d.Counts())
	}
	r.abandon()
	if len(r.results) != len(r.jobs) {
		r.t.Errorf("%d of %d tasks were told of", len(r.results), len(r.jobs))
	}
	if r.d.expiring != 0 {
		r.t.Errorf("%d expiring jobs left", r.d.expiring)
	}
}

// leased runs a test in fake time.
func leased(t *testing.T, cfg Config, test func(t *testing.T, r *rig)) {
	t.Helper()
	bubbleWith(t, cfg, func(t *testing.T, r *rig) {
		test(t, r)
		r.leave()
	})
}

func TestLeasedTaskThatFailsIsReturnedWithItsDelay(t *testing.T) {
	leased(t, settings(), func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.lease("a", task.Options{}, Past{Starts: 1, Crashes: 1, Attempts: []task.Attempt{{N: 1}}})
		p.take()
		p.reply("a", wire.Result{Outcome: ipc.OutcomeRetryAfter, RetryAfter: 7000, Message: []byte("later")})
		if d := r.returned("a"); d != 7*time.Second {
			t.Errorf("delay %v, want the 7s that the handler asked for", d)
		}
		j := r.jobs["a"]
		if j.Result.Started != 2 || len(j.Result.Attempts) != 2 || j.Result.Attempts[1].N != 2 || j.Crashes() != 1 {
			t.Errorf("history: %d starts, %d crashes, %+v", j.Result.Started, j.Crashes(), j.Result.Attempts)
		}
	})
}

func TestLeasedTaskDiesWithTheAttemptsOfEarlierLeases(t *testing.T) {
	leased(t, settings(), func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.lease("a", task.Options{}, Past{Starts: 2})
		p.take()
		p.answer("a", ipc.OutcomeError)
		if res := r.ended("a", task.Dead); res.Started != 3 {
			t.Errorf("%d starts, want 3", res.Started)
		}
	})
}

func TestStopReturnsLeasedTasksWithoutCost(t *testing.T) {
	leased(t, settings(), func(t *testing.T, r *rig) {
		p := r.warm()
		for _, id := range []string{"runs", "in the pipe", "waits"} {
			r.lease(id, task.Options{Expires: time.Hour}, Past{})
		}
		r.d.cfg.Window = 2
		if got := p.take(); !slices.Equal(got[:1], []string{"runs"}) {
			t.Fatalf("took %v", got)
		}
		r.leave() // the worker is killed: its grace is over
		for _, id := range []string{"runs", "in the pipe", "waits"} {
			if d := r.returned(id); d != 0 || r.jobs[id].Result.Started != 0 || len(r.jobs[id].Result.Attempts) != 0 {
				t.Errorf("%s: delay %v, %d starts, attempts %v; want it as it came", id, d, r.jobs[id].Result.Started, r.jobs[id].Result.Attempts)
			}
		}
	})
}

func TestStopDoesNotReturnWhatMustNotStartAgain(t *testing.T) {
	leased(t, settings(), func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.lease("a", task.Options{AtMostOnce: true}, Past{})
		p.take()
		r.leave()
		r.ended("a", task.Dead)
	})
}

func TestHoldReturnsWhatWaitsAndWhatComes(t *testing.T) {
	leased(t, settings(), func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.lease("runs", task.Options{}, Past{})
		p.take()
		r.lease("waits", task.Options{}, Past{})
		r.submit("own", task.Options{})
		r.d.Hold(true)
		r.lease("comes", task.Options{}, Past{})
		r.returned("waits")
		r.returned("comes")
		r.state("own", task.StateQueued)
		p.complete("runs")
		r.ended("runs", task.Completed)
		r.d.Hold(false)
		r.lease("again", task.Options{}, Past{})
		p.take()
		p.complete("own")
		p.take()
		p.complete("again")
		r.ended("again", task.Completed)
	})
}

func TestShedReturnsTheNewest(t *testing.T) {
	leased(t, settings(), func(t *testing.T, r *rig) {
		for _, id := range []string{"a", "b", "c", "d"} {
			r.lease(id, task.Options{}, Past{})
		}
		r.d.Shed(2)
		r.state("a", task.StateQueued)
		r.state("b", task.StateQueued)
		r.returned("c")
		r.returned("d")
	})
}

func TestLeasedTasksGoInTheOrderOfTheirSubmission(t *testing.T) {
	leased(t, settings(), func(t *testing.T, r *rig) {
		r.lease("young", task.Options{}, Past{Waited: time.Second})
		r.lease("old", task.Options{}, Past{Waited: time.Minute})
		r.lease("urgent", task.Options{Priority: 100}, Past{})
		p := r.worker(0)
		var got []string
		for range 3 {
			got = append(got, p.take()...)
			p.complete(p.ids()...)
		}
		if want := []string{"urgent", "old", "young"}; !slices.Equal(got, want) {
			t.Errorf("took %v, want %v", got, want)
		}
	})
}

func TestLeasedTaskExpiresByItsSubmission(t *testing.T) {
	leased(t, settings(), func(t *testing.T, r *rig) {
		r.lease("a", task.Options{Expires: 10 * time.Second}, Past{Waited: 9 * time.Second})
		r.advance(900 * time.Millisecond)
		r.state("a", task.StateQueued)
		r.advance(200 * time.Millisecond)
		r.ended("a", task.Expired)
	})
}

func TestCancellingAReturnedJobDoesNothing(t *testing.T) {
	leased(t, settings(), func(t *testing.T, r *rig) {
		j := r.lease("a", task.Options{}, Past{})
		r.d.Hold(true)
		j.Cancel()
		r.returned("a")
		if c := r.d.Counts(); c.Queued != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// A task of a name that was known where it was submitted, and is not here, is for another version of the plugin.
func TestLeasedTaskThatNobodyHereServesIsLeftToOthers(t *testing.T) {
	for _, replaced := range []bool{false, true} { // the plugin's file, since it said what it serves
		cfg := settings()
		cfg.Declared = true
		leased(t, cfg, func(t *testing.T, r *rig) {
			p := r.worker(0)
			if !replaced {
				r.d.learn(ipc.Ready{SDK: "puppet", Tasks: []string{"y"}})
			}
			r.lease("a", task.Options{AtMostOnce: true}, Past{}).Result.Task.Name = "x"
			if p.take(); replaced {
				p.answer("a", ipc.OutcomeUnknown)
			}
			if d := r.returned("a"); d != othersPause || r.jobs["a"].Result.Started != 0 || len(r.jobs["a"].Result.Attempts) != 0 {
				t.Errorf("delay %v, %+v", d, r.jobs["a"].Result)
			}
		})
	}
	leased(t, settings(), func(t *testing.T, r *rig) { // any name may be submitted
		p := r.worker(0)
		r.lease("a", task.Options{}, Past{})
		p.take()
		p.answer("a", ipc.OutcomeUnknown)
		r.ended("a", task.Rejected)
	})
}
