package dispatch

import (
	"slices"
	"testing"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/worker"
	"github.com/brood-run/brood/supervisor/task"
)

func two() Config {
	cfg := settings()
	cfg.Workers = 2
	return cfg
}

// Tasks behind a slow one are taken back when another worker is there, and run there
// in their order, at no cost.
func TestTasksBehindASlowOneAreRecalled(t *testing.T) {
	bubble(t, two(), func(t *testing.T, r *rig) {
		p := r.warm()
		r.submitAll("slow", "a", "b", "c")
		p.take()
		r.advance(recallAfter - time.Millisecond)
		other := r.worker(0)
		other.take()
		if p.recalls != nil {
			t.Fatal("recalled early")
		}
		r.advance(2 * time.Millisecond)
		if want := []uint64{p.seq("a")}; !slices.Equal(p.recalls, want) {
			t.Fatalf("recalls: %v, want %v", p.recalls, want)
		}
		r.advance(time.Second)
		if len(p.recalls) != 1 {
			t.Errorf("recalled again without an answer: %v", p.recalls)
		}
		p.giveBack()
		wantOrder(t, other, "a", "b", "c")
		for _, id := range []string{"a", "b", "c"} {
			if res := r.ended(id, task.Completed); res.Started != 1 {
				t.Errorf("%s: %+v", id, res)
			}
		}
		p.complete("slow")
	})
}

// Who had the task is said, also when it comes back because its worker died.
func TestARecalledTaskNamesItsWorker(t *testing.T) {
	cfg := two()
	events := cfg.Events.Subscribe(100)
	defer cfg.Events.Close()
	bubble(t, cfg, func(t *testing.T, r *rig) {
		wantRecalled := func(from *puppet) {
			t.Helper()
			for {
				select {
				case e := <-events.C():
					if e, ok := e.(event.TaskRecalled); ok {
						if e.Task != "a" || e.Worker != from.name {
							t.Errorf("%v; it was %s", e, from.name)
						}
						return
					}
				default:
					t.Fatalf("nothing says that %s had it", from.name)
				}
			}
		}
		p, other := r.warm(), r.worker(0)
		r.submitAll("slow", "a")
		p.take()
		r.advance(2 * recallAfter)
		p.giveBack()
		wantRecalled(p)
		other.take()
		other.exit(&worker.Exit{Reason: worker.ReasonSignal, StartedKnown: true})
		wantRecalled(other)
		p.complete("slow")
		p.take()
		p.complete("a")
	})
}

// A worker that has turned out to be slow is not given more to read ahead, whatever its tasks
// took before: what it had to give back would only come and go.
func TestASlowWorkerTakesNothingBack(t *testing.T) {
	bubble(t, two(), func(t *testing.T, r *rig) {
		p, other := r.warm(), r.warm()
		r.submitAll("slow")
		p.woken = true
		if ids := p.take(); !slices.Equal(ids, []string{"slow"}) {
			t.Fatalf("took %v", ids)
		}
		other.woken = false // it is busy elsewhere
		r.submitMany(100)
		p.woken = true
		if len(p.take()) == 0 {
			t.Fatal("nothing was read ahead")
		}
		r.advance(recallAfter + time.Millisecond)
		p.giveBack()
		p.woken = true
		if ids := p.take(); len(ids) != 0 {
			t.Errorf("took %d tasks behind the slow one again", len(ids))
		}
		p.complete("slow")
		for other.woken = true; len(other.take())+len(p.take()) > 0; {
			for _, q := range []*puppet{p, other} {
				for _, id := range q.ids() {
					q.complete(id)
				}
				q.woken = true
			}
		}
	})
}

// A lone worker's tasks have nowhere to go.
func TestNothingIsRecalledFromALoneWorker(t *testing.T) {
	bubble(t, two(), func(t *testing.T, r *rig) {
		p := r.warm()
		r.submitAll("slow", "a")
		p.take()
		r.advance(time.Minute)
		if p.recalls != nil {
			t.Fatalf("recalls: %v", p.recalls)
		}
		r.worker(0) // and now they have
		r.advance(recallAfter)
		r.submitAll("b")
		r.advance(recallAfter)
		if len(p.recalls) != 1 {
			t.Errorf("recalls: %v", p.recalls)
		}
	})
}

// What the worker had started meanwhile it keeps.
func TestRecallMayComeTooLate(t *testing.T) {
	bubble(t, two(), func(t *testing.T, r *rig) {
		p := r.warm()
		r.worker(0)
		r.submitAll("slow")
		p.take()
		r.submitAll("a", "b")
		p.take()
		if len(p.pipe) < 2 {
			t.Skipf("read ahead only %v", p.ids())
		}
		r.advance(2 * recallAfter)
		p.complete(p.ids()[:2]...)
		p.giveBack()
		r.advance(time.Second)
		for _, id := range []string{"slow", "a"} {
			r.ended(id, task.Completed)
		}
	})
}

// A recall that is under way when its worker dies loses nothing.
func TestWorkerDiesDuringARecall(t *testing.T) {
	bubble(t, two(), func(t *testing.T, r *rig) {
		p := r.warm()
		r.submitAll("slow", "a", "b")
		p.take()
		other := r.worker(0)
		other.take()
		r.advance(2 * recallAfter)
		p.die(worker.ReasonSignal, "slow")
		wantOrder(t, other, "slow", "a", "b")
	})
}

func TestRetiredLaneGivesBackWhatItHasNotStarted(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := r.warm()
		r.submitAll("runs", "a")
		p.take()
		p.lane.Retire()
		p.lane.Retire()
		if want := []uint64{p.seq("a")}; !slices.Equal(p.recalls, want) {
			t.Fatalf("recalls: %v, want %v", p.recalls, want)
		}
		p.giveBack()
		if got := p.take(); got != nil || p.empty != 0 {
			t.Errorf("a retired lane took %v; told empty %d times", got, p.empty)
		}
		p.complete("runs")
		if p.empty != 1 {
			t.Errorf("told empty %d times", p.empty)
		}
		wantOrder(t, r.worker(0), "a")
	})
}

func TestRetryOnceMoreAfterRecall(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := r.warm()
		r.submitAll("runs")
		r.submit("once", task.Options{AtMostOnce: true})
		p.take()
		p.lane.Retire()
		p.giveBack()
		q := r.worker(0)
		p.complete("runs")
		q.take()
		if e := q.pipe[0]; e.TaskID != "once" || e.Attempt != 1 {
			t.Errorf("got %+v", e)
		}
		q.answer("once", ipc.OutcomeError)
		r.ended("once", task.Dead)
	})
}

// A worker that had no processor for a while has not become slow: it answers what it had
// begun before it gives anything back, and goes on reading ahead.
func TestAStalledWorkerKeepsItsWindow(t *testing.T) {
	bubble(t, two(), func(t *testing.T, r *rig) {
		p, other := r.warm(), r.warm()
		r.submitMany(100)
		p.woken = true
		ids := p.take()
		if len(ids) < 2 {
			t.Fatal("nothing was read ahead")
		}
		other.woken = false
		r.advance(recallAfter + time.Millisecond)
		p.complete(ids[0])
		p.recalls[0]++ // it has begun the next one by then
		r.advance(time.Millisecond)
		p.giveBack()
		p.woken = true
		if len(p.take()) < 2 {
			t.Error("its window is closed")
		}
		for len(p.ids())+len(other.ids()) > 0 {
			for _, q := range []*puppet{p, other} {
				for _, id := range q.ids() {
					q.complete(id)
				}
				q.woken = true
				q.take()
			}
		}
	})
}

// As long as a worker has not given back what was asked of it, it reads nothing ahead: a task
// behind a slow one would be overlooked until that ends.
func TestNothingIsReadAheadDuringARecall(t *testing.T) {
	bubble(t, two(), func(t *testing.T, r *rig) {
		p, other := r.warm(), r.warm()
		r.submitAll("slow", "a", "b")
		p.woken = true
		p.take()
		other.woken = false
		r.advance(recallAfter + time.Millisecond)
		if len(p.recalls) != 1 {
			t.Fatalf("recalls: %v", p.recalls)
		}
		r.submitAll("c")
		p.woken = true
		if ids := p.take(); len(ids) != 0 {
			t.Errorf("took %v", ids)
		}
		p.giveBack()
		wantOrder(t, other, "a", "b", "c")
		p.complete("slow")
	})
}
