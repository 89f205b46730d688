package dispatch

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor/internal/worker"
	"github.com/brood-run/brood/supervisor/task"
)

func TestCancelWhileItWaits(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		r.submitAll("queued", "retrying")
		r.jobs["queued"].Cancel()
		r.ended("queued", task.Cancelled)
		p := r.worker(0)
		if got := p.take(); !slices.Equal(got, []string{"retrying"}) {
			t.Fatalf("took %v", got)
		}
		p.answer("retrying", ipc.OutcomeError)
		r.jobs["retrying"].Cancel()
		res := r.ended("retrying", task.Cancelled)
		if res.Started != 1 || len(res.Attempts) != 1 || res.Err.Kind != task.KindCancelled {
			t.Errorf("got %+v", res)
		}
		r.advance(time.Minute)
		if got := p.take(); got != nil {
			t.Errorf("%v came back", got)
		}
		for id := range r.jobs { // nothing happens any more
			r.jobs[id].Cancel()
			r.jobs[id].Abandon()
		}
	})
}

// However a cancelled task that runs ends, unless it completes, it is cancelled.
func TestCancelWhileItRuns(t *testing.T) {
	for how, c := range map[string]struct {
		end  func(r *rig, p *puppet)
		want task.Status
	}{
		"gives up":  {func(_ *rig, p *puppet) { p.answer("a", ipc.OutcomeCancelled) }, task.Cancelled},
		"fails":     {func(_ *rig, p *puppet) { p.answer("a", ipc.OutcomeError) }, task.Cancelled},
		"unstarted": {func(_ *rig, p *puppet) { p.answer("a", ipc.OutcomeUnstarted) }, task.Cancelled},
		"crashes":   {func(_ *rig, p *puppet) { p.die(worker.ReasonSignal, "a") }, task.Cancelled},
		"is lost":   {func(_ *rig, p *puppet) { p.die(worker.ReasonSignal, "") }, task.Cancelled},
		"completes": {func(_ *rig, p *puppet) { p.complete("a") }, task.Completed},
		"hangs": {func(r *rig, p *puppet) {
			r.advance(4*time.Second + 999*time.Millisecond)
			if p.ended != worker.ReasonNone {
				r.t.Fatalf("killed before its grace was over")
			}
			r.advance(2 * time.Millisecond)
			if p.ended != worker.ReasonUncancellable || p.culprit != p.seq("a") {
				r.t.Fatalf("ended by %v, task %d", p.ended, p.culprit)
			}
			p.die(p.ended, "a")
		}, task.Cancelled},
	} {
		t.Run(how, func(t *testing.T) {
			bubble(t, settings(), func(t *testing.T, r *rig) {
				p := r.worker(0)
				r.submitAll("a")
				p.take()
				r.jobs["a"].Cancel()
				r.jobs["a"].Cancel()
				if want := []cancel{{p.seq("a"), ipc.CauseCancelled}}; !slices.Equal(p.cancels, want) {
					t.Errorf("cancels: %v, want %v", p.cancels, want)
				}
				c.end(r, p)
				r.ended("a", c.want)
			})
		})
	}
}

// A task behind a running one is cancelled where it is, and its worker is not killed
// for what it has not begun.
func TestCancelInThePipe(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := r.warm()
		r.submitAll("slow", "a")
		p.take()
		r.jobs["a"].Cancel()
		if len(p.cancels) != 1 || p.cancels[0].seq != p.seq("a") {
			t.Fatalf("cancels: %v", p.cancels)
		}
		r.advance(time.Minute)
		if p.ended != worker.ReasonNone {
			t.Errorf("killed: %v", p.ended)
		}
		p.answer("a", ipc.OutcomeUnstarted)
		if res := r.ended("a", task.Cancelled); res.Started != 0 || len(res.Attempts) != 0 {
			t.Errorf("got %+v", res)
		}
		r.state("slow", task.StateRunning)
	})
}

func TestAbandonLetsTheRunningFinish(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := r.warm()
		r.submitAll("runs", "piped")
		p.take()
		r.submitAll("fails", "queued")
		for _, id := range []string{"runs", "piped", "queued"} {
			r.jobs[id].Abandon()
		}
		r.ended("queued", task.Cancelled)
		if len(p.cancels) != 1 || p.cancels[0].seq != p.seq("piped") {
			t.Errorf("cancels: %v", p.cancels)
		}
		p.answer("piped", ipc.OutcomeUnstarted)
		r.ended("piped", task.Cancelled)
		p.complete("runs")
		r.ended("runs", task.Completed)
		p.take()
		r.jobs["fails"].Abandon()
		p.answer("fails", ipc.OutcomeError) // and is not tried again
		if res := r.ended("fails", task.Cancelled); res.Started != 1 {
			t.Errorf("got %+v", res)
		}
	})
}

// Tasks that were cancelled while they waited do not fill the queue.
func TestCancelledTasksLeaveTheQueue(t *testing.T) {
	cfg := settings()
	cfg.QueueSize = 1000
	bubble(t, cfg, func(t *testing.T, r *rig) {
		r.submitAll("first")
		for i := range 20_000 {
			r.submit(fmt.Sprint(i), task.Options{}).Cancel()
		}
		if n := r.d.queue.Len(); n > 1000 {
			t.Errorf("%d entries for 1 task", n)
		}
		wantOrder(t, r.worker(0), "first")
	})
}
