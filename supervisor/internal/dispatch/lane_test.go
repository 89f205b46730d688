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

func (r *rig) submitMany(n int) {
	r.t.Helper()
	for i := range n {
		r.submitAll(fmt.Sprint(i))
	}
}

// A warm lane beyond the number of workers takes nothing until one of them leaves.
func TestStandbyTakesOver(t *testing.T) {
	for how, leave := range map[string]func(r *rig, p *puppet){
		"dies":    func(_ *rig, p *puppet) { p.die(worker.ReasonSignal, "") },
		"retires": func(_ *rig, p *puppet) { p.lane.Retire() },
		"wears out": func(_ *rig, p *puppet) {
			p.take()
			p.complete("a")
		},
	} {
		t.Run(how, func(t *testing.T) {
			bubble(t, settings(), func(t *testing.T, r *rig) {
				p, standby := r.worker(1), r.worker(0)
				r.submitAll("a", "b")
				if got := standby.take(); got != nil {
					t.Fatalf("a standby took %v", got)
				}
				leave(r, p)
				if got := standby.take(); len(got) == 0 {
					t.Error("the standby took nothing")
				}
			})
		})
	}
}

// A lane never gets more tasks than its limit, reading ahead or not; what it gave back
// does not count.
func TestLimitIsNeverExceeded(t *testing.T) {
	cfg := settings()
	bubble(t, cfg, func(t *testing.T, r *rig) {
		p := r.worker(20)
		r.submitMany(50)
		var taken []string
		for p.take(); len(p.pipe) > 0; p.take() {
			taken = append(taken, p.pipe[0].TaskID)
			if p.empty > 0 {
				t.Fatal("told empty with a task in it")
			}
			if wears := len(taken)+len(p.pipe)-1 >= 18; (p.wearing == 1) != wears {
				t.Fatalf("%d tasks handed out, told wearing %d times", len(taken)+len(p.pipe)-1, p.wearing)
			}
			p.complete(p.pipe[0].TaskID)
		}
		if len(taken) != 20 || p.wearing != 1 || p.empty != 1 {
			t.Errorf("took %d tasks, told wearing %d times and empty %d times", len(taken), p.wearing, p.empty)
		}
		if got := r.worker(0).take(); len(got) == 0 {
			t.Error("the rest was not handed out")
		}
	})
}

func TestRecalledTasksDoNotWearALaneOut(t *testing.T) {
	bubble(t, two(), func(t *testing.T, r *rig) {
		p := r.worker(4)
		r.submitAll("first")
		p.take()
		p.complete("first")
		r.submitAll("slow", "a", "b")
		p.take()
		other := r.worker(0)
		r.submitAll("hog")
		other.take()
		r.advance(2 * recallAfter)
		p.giveBack()
		p.complete("slow")
		if p.empty != 0 {
			t.Fatal("used up after two of four tasks")
		}
		p.take()
		p.complete(p.ids()...)
		p.take()
		p.complete(p.ids()...)
		if p.empty != 1 || len(r.results) != 4 {
			t.Errorf("told empty %d times, %d results", p.empty, len(r.results))
		}
	})
}

// With several slots a task that ended a worker runs alone, wherever it is.
func TestSuspectRunsAlone(t *testing.T) {
	cfg := settings()
	cfg.Slots = 3
	bubble(t, cfg, func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.submitAll("poison", "a", "b")
		p.take()
		p.die(worker.ReasonSignal, "b")
		r.submitAll("c", "d")
		p = r.worker(0)
		for suspects := []string{"poison", "a", "b"}; len(suspects) > 0; suspects = suspects[1:] {
			if got := p.take(); !slices.Equal(got, suspects[:1]) {
				t.Fatalf("took %v, want %v alone", got, suspects[0])
			}
			p.complete(suspects[0])
		}
		if got := p.take(); len(got) != 2 {
			t.Errorf("took %v after the suspects", got)
		}
	})
}

func TestSuspectWaitsForItsNeighboursToFinish(t *testing.T) {
	cfg := settings()
	cfg.Slots, cfg.Workers = 2, 2
	bubble(t, cfg, func(t *testing.T, r *rig) {
		p, q := r.worker(0), r.worker(0)
		r.submitAll("poison")
		p.take()
		r.submitAll("busy")
		if got := q.take(); !slices.Equal(got, []string{"busy"}) {
			t.Fatalf("took %v", got)
		}
		p.die(worker.ReasonSignal, "poison")
		q.take()
		r.submitAll("later")
		q.take()
		if got := q.ids(); slices.Contains(got, "poison") {
			t.Fatalf("beside a running task: %v", got)
		}
		q.complete(q.ids()...)
		for len(r.results) < 3 {
			if got := q.take(); len(got) != 1 {
				t.Fatalf("took %v", got)
			}
			q.complete(q.ids()...)
		}
	})
}

// Reading ahead leaves the other workers their share of what is more than a moment's work.
func TestReadingAheadIsFair(t *testing.T) {
	cfg := settings()
	cfg.Workers = 4
	bubble(t, cfg, func(t *testing.T, r *rig) {
		var all []*puppet
		for range 4 {
			all = append(all, r.warm())
		}
		r.submitMany(1000)
		for _, p := range all {
			p.mu.Lock()
			p.woken = false
			p.mu.Unlock()
			if n := p.lane.Take(func(es []wire.Execute) { p.pipe = append(p.pipe, es...) }); n == 0 || n > 250 {
				t.Errorf("%s took %d of 1000 tasks at once", p.name, n)
			}
		}
	})
}

// The pipe holds hundreds of short tasks, and of long ones only those that run.
func TestWindowFollowsTheLengthOfTasks(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := r.warm()
		r.submitMany(600)
		if p.take(); len(p.pipe) < 200 || len(p.pipe) > 256 {
			t.Errorf("%d short tasks in the pipe", len(p.pipe))
		}
		p.reply(p.pipe[0].TaskID, wire.Result{RunNS: uint64(10 * time.Millisecond)})
		p.complete(p.ids()[:len(p.pipe)-1]...)
		p.reply(p.pipe[0].TaskID, wire.Result{RunNS: uint64(10 * time.Millisecond)})
		if p.take(); len(p.pipe) != 1 {
			t.Errorf("%d long tasks in the pipe", len(p.pipe))
		}
	})
}

func TestWindowIsBoundedInBytes(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := r.warm()
		for i := range 100 {
			j := r.job(fmt.Sprint(i), task.Options{})
			j.Result.Task.Payload = make([]byte, 20<<10)
			if err := r.d.TrySubmit(j, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		if p.take(); len(p.pipe) > 4 {
			t.Errorf("%d KiB in the pipe", 20*len(p.pipe))
		}
		for len(p.pipe) > 0 {
			p.complete(p.pipe[0].TaskID)
			p.take()
		}
		if len(r.results) != 101 {
			t.Errorf("%d results", len(r.results))
		}
	})
}

func TestDemandIsToldWhenAWorkerIsMissing(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		r.submitAll("a")
		if r.demands != 1 {
			t.Errorf("%d demands without a worker", r.demands)
		}
		p := r.worker(0)
		p.take()
		r.submitAll("b")
		if r.demands != 1 {
			t.Errorf("%d demands with a busy worker", r.demands)
		}
		p.answer("a", ipc.OutcomeCompleted)
	})
}

func TestViewSaysWhatALaneDoes(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := r.warm()
		r.advance(time.Second)
		if v := p.lane.View(); v.Idle != time.Second || v.Answered != 1 || v.Task != "" || v.InPipe != 0 {
			t.Errorf("idle: %+v", v)
		}
		r.submitAll("a", "b")
		p.take()
		if v := p.lane.View(); v.Idle != 0 || v.Task != "a" || v.InPipe != 2 {
			t.Errorf("busy: %+v", v)
		}
		if p.lane.Running() != p.seq("a") {
			t.Errorf("running: %d", p.lane.Running())
		}
		if id, n, ok := p.lane.Label(p.seq("b")); id != "b" || n != 1 || !ok {
			t.Errorf("label of b: %q, %d, %v", id, n, ok)
		}
		if _, _, ok := p.lane.Label(99); ok {
			t.Error("a label for nothing")
		}
	})
}
