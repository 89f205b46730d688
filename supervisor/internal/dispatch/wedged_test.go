package dispatch

import (
	"slices"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor/internal/worker"
	"github.com/brood-run/brood/supervisor/task"
)

func TestHardTimeoutWaitsForTheHandlersStart(t *testing.T) {
	cfg := settings()
	cfg.HardTimeout, cfg.StallLimit = time.Second, 10*time.Second
	bubble(t, cfg, func(t *testing.T, r *rig) {
		p := r.worker(0)
		p.wedged.Store(true)
		r.submit("a", task.Options{AtMostOnce: true})
		p.take()
		r.advance(5 * time.Second)
		if p.ended != worker.ReasonNone {
			t.Fatalf("killed for a task that it had not started: %v", p.ended)
		}
		p.wedged.Store(false)
		r.advance(1100 * time.Millisecond)
		if p.ended != worker.ReasonHardTimeout {
			t.Errorf("ended for %v, want the hard timeout", p.ended)
		}
	})
}

func TestWorkerThatStartsNothingIsReplacedAtNoCost(t *testing.T) {
	cfg := settings()
	cfg.HardTimeout, cfg.StallLimit = time.Second, 10*time.Second
	bubble(t, cfg, func(t *testing.T, r *rig) {
		p := r.worker(0)
		p.wedged.Store(true)
		r.submit("a", task.Options{AtMostOnce: true})
		p.take()
		r.advance(13 * time.Second)
		if p.ended != worker.ReasonHeartbeatLost || p.culprit != 0 {
			t.Fatalf("ended for %v of task %d, want a lost heartbeat of none", p.ended, p.culprit)
		}
		p.exit(&worker.Exit{Reason: p.ended, StartedKnown: true})
		other := r.worker(0)
		other.take()
		other.complete("a")
		if res := r.ended("a", task.Completed); res.Started != 1 || len(res.Attempts) != 0 {
			t.Errorf("it cost the task something: %+v", res)
		}
	})
}

func TestSuspectDoesNotHoldUpTheQueue(t *testing.T) {
	cfg := settings()
	cfg.Workers, cfg.Slots, cfg.Window = 3, 2, 2
	bubble(t, cfg, func(t *testing.T, r *rig) {
		doomed, reserved, other := r.worker(0), r.worker(0), r.worker(0)
		takes := func(p *puppet, want ...string) {
			t.Helper()
			if got := p.take(); !slices.Equal(got, want) {
				t.Fatalf("%s takes %v, want %v", p.name, got, want)
			}
		}
		r.submitAll("poison")
		takes(doomed, "poison")
		r.submitAll("long1")
		takes(reserved, "long1")
		r.submitAll("long2")
		takes(other, "long2")
		doomed.die(worker.ReasonSignal, "poison")
		takes(reserved) // it is to empty for the suspect
		r.submitAll("a")
		takes(reserved)
		takes(other, "a")
		other.complete("a")
		reserved.complete("long1")
		r.submitAll("b")
		takes(reserved, "poison") // and nothing beside it
		takes(other, "b")
		reserved.complete("poison")
		other.complete("b", "long2")
		r.submitAll("c", "d")
		takes(other, "c", "d")
		other.complete("c", "d")
	})
}
