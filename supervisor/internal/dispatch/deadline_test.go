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

func TestSoftTimeoutAsksTheHandlerToReturn(t *testing.T) {
	cfg := settings()
	cfg.SoftTimeout, cfg.MaxAttempts = time.Second, 2
	bubble(t, cfg, func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.submitAll("a")
		p.take()
		if p.pipe[0].SoftTimeout != 1000 {
			t.Errorf("the worker is told of %d ms", p.pipe[0].SoftTimeout)
		}
		r.advance(999 * time.Millisecond)
		if p.cancels != nil {
			t.Fatalf("cancelled early: %v", p.cancels)
		}
		r.advance(2 * time.Millisecond)
		if want := []cancel{{p.seq("a"), ipc.CauseSoftTimeout}}; !slices.Equal(p.cancels, want) {
			t.Fatalf("cancels: %v, want %v", p.cancels, want)
		}
		r.advance(time.Minute)
		if len(p.cancels) != 1 || p.ended != worker.ReasonNone {
			t.Errorf("a soft timeout went on: %v, %v", p.cancels, p.ended)
		}
		p.answer("a", ipc.OutcomeCancelled)
		r.advance(time.Second)
		p.take()
		r.advance(time.Second + time.Millisecond)
		p.answer("a", ipc.OutcomeError)
		res := r.ended("a", task.Dead)
		if res.Err.Kind != task.KindTimeout || len(res.Attempts) != 2 {
			t.Errorf("got %+v", res)
		}
		for _, a := range res.Attempts {
			if a.Outcome != task.OutcomeTimeout || a.Message != "soft timeout after 1s: says w1" {
				t.Errorf("attempt %+v", a)
			}
		}
	})
}

func TestAnswerAfterSoftTimeoutCounts(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.submit("a", task.Options{SoftTimeout: time.Second})
		p.take()
		r.advance(2 * time.Second)
		p.complete("a")
		r.ended("a", task.Completed)
	})
}

// Time in the child's queue is not the task's time.
func TestDeadlineClockStartsWithTheHandler(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := r.warm()
		r.submit("slow", task.Options{})
		r.submit("a", task.Options{HardTimeout: 10 * time.Second, SoftTimeout: 5 * time.Second})
		if got := p.take(); len(got) != 2 {
			t.Fatalf("only %v was read ahead", got)
		}
		r.advance(time.Minute)
		p.complete("slow")
		r.advance(5*time.Second - time.Millisecond)
		if p.cancels != nil || p.ended != worker.ReasonNone {
			t.Fatalf("the time in the pipe was counted: %v, %v", p.cancels, p.ended)
		}
		r.advance(2 * time.Millisecond)
		if len(p.cancels) != 1 {
			t.Errorf("no soft timeout")
		}
		r.advance(5*time.Second - 2*time.Millisecond)
		if p.ended != worker.ReasonNone {
			t.Errorf("killed early")
		}
		r.advance(2 * time.Millisecond)
		if p.ended != worker.ReasonHardTimeout || p.culprit != p.seq("a") {
			t.Errorf("ended by %v, task %d", p.ended, p.culprit)
		}
	})
}

// A timeout frees the slot only with the process.
func TestHardTimeoutFreesNothingBeforeTheProcessIsGone(t *testing.T) {
	cfg := settings()
	cfg.HardTimeout, cfg.MaxAttempts = time.Second, 1
	bubble(t, cfg, func(t *testing.T, r *rig) {
		p := r.worker(0)
		standby := r.worker(0)
		r.submitAll("a")
		p.take()
		r.advance(time.Second)
		r.submitAll("b")
		if got := append(p.take(), standby.take()...); got != nil {
			t.Errorf("%v was handed out while the other still runs", got)
		}
		r.advance(time.Minute)
		r.state("a", task.StateRunning)
		p.die(worker.ReasonHardTimeout, "a")
		if res := r.ended("a", task.Dead); res.Err.Kind != task.KindTimeout {
			t.Errorf("a: %v", res.Err)
		}
		wantOrder(t, standby, "b")
	})
}

// An answer that comes while the process is being killed for a timeout is an answer.
func TestAnswerInTheLastMomentCounts(t *testing.T) {
	cfg := settings()
	cfg.HardTimeout = time.Second
	bubble(t, cfg, func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.submitAll("a")
		p.take()
		r.advance(time.Second)
		p.complete("a")
		r.ended("a", task.Completed)
		p.exit(&worker.Exit{Reason: worker.ReasonHardTimeout, Culprit: 1, StartedKnown: true, Started: 1})
	})
}

func TestTimeoutsOfTheTaskGoBeforeThoseOfThePool(t *testing.T) {
	cfg := settings()
	cfg.SoftTimeout, cfg.HardTimeout = time.Second, time.Minute
	bubble(t, cfg, func(t *testing.T, r *rig) {
		p := r.warm()
		r.submit("pool", task.Options{})
		r.submit("own", task.Options{SoftTimeout: 2 * time.Second, HardTimeout: 3 * time.Second})
		r.submit("none", task.Options{SoftTimeout: -1, HardTimeout: -1})
		p.take()
		for i, want := range [][2]uint32{{1000, 60_000}, {2000, 3000}, {0, 0}} {
			if e := p.pipe[i]; e.SoftTimeout != want[0] || e.HardTimeout != want[1] {
				t.Errorf("%s: %d and %d ms, want %v", e.TaskID, e.SoftTimeout, e.HardTimeout, want)
			}
		}
		p.complete("pool", "own")
		r.advance(time.Hour)
		if p.cancels != nil || p.ended != worker.ReasonNone {
			t.Errorf("a task without timeouts ran into one: %v, %v", p.cancels, p.ended)
		}
	})
}

// With several slots each handler has its own clock, wherever it stands in the pipe.
func TestEachSlotHasItsOwnClock(t *testing.T) {
	cfg := settings()
	cfg.Slots, cfg.SoftTimeout = 2, 10*time.Second
	bubble(t, cfg, func(t *testing.T, r *rig) {
		p := r.warm()
		r.submitAll("a", "b", "c")
		p.take()
		r.advance(4 * time.Second)
		p.reply("b", wire.Result{RunNS: uint64(4 * time.Second)}) // c starts
		r.advance(7 * time.Second)
		if want := []cancel{{p.seq("a"), ipc.CauseSoftTimeout}}; !slices.Equal(p.cancels, want) {
			t.Errorf("after 11 s: %v", p.cancels)
		}
		r.advance(4 * time.Second)
		if len(p.cancels) != 2 || p.cancels[1].seq != p.seq("c") {
			t.Errorf("after 15 s: %v", p.cancels)
		}
	})
}

func TestExpiry(t *testing.T) {
	cfg := settings()
	cfg.Window = 1
	bubble(t, cfg, func(t *testing.T, r *rig) {
		expires := task.Options{Expires: time.Second}
		r.submit("runs", expires)
		r.submit("fails", expires)
		p := r.worker(0)
		p.take()
		r.advance(500 * time.Millisecond)
		p.complete("runs")
		p.take()
		p.answer("fails", ipc.OutcomeError)
		r.submit("waits", expires)
		r.submit("blocks", task.Options{Priority: 100})
		p.take()
		r.advance(time.Second + 200*time.Millisecond) // the sweep may be late by 100 ms
		if res := r.ended("waits", task.Expired); res.Err.Kind != task.KindExpired || res.Started != 0 || res.Queued < time.Second || res.Queued > 1200*time.Millisecond {
			t.Errorf("got %+v", res)
		}
		// It has started once: that it waits for its second attempt is no reason to drop it.
		r.state("fails", task.StateQueued)
		p.complete("blocks")
		wantOrder(t, p, "fails")
		r.ended("fails", task.Completed)
	})
}

// However coarse the sweep is, nothing is started after its expiry.
func TestNothingStartsAfterItsExpiry(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		r.submit("a", task.Options{Expires: time.Second + 7*time.Millisecond})
		r.advance(time.Second + 7*time.Millisecond)
		p := r.worker(0)
		if got := p.take(); got != nil {
			t.Errorf("%v was handed out", got)
		}
		r.ended("a", task.Expired)
	})
}

func TestRecalledTaskExpires(t *testing.T) {
	cfg := settings()
	cfg.Workers = 2
	bubble(t, cfg, func(t *testing.T, r *rig) {
		p := r.warm()
		r.submit("slow", task.Options{})
		r.submit("a", task.Options{Expires: time.Second})
		p.take()
		other := r.worker(0)
		r.submitAll("hog")
		other.take()
		r.advance(500 * time.Millisecond)
		p.giveBack()
		r.advance(600 * time.Millisecond)
		r.ended("a", task.Expired)
	})
}
