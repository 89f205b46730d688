package dispatch

import (
	"testing"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
	"github.com/brood-run/brood/supervisor/internal/worker"
	"github.com/brood-run/brood/supervisor/task"
)

// A worker that hands tasks back of its own accord would get them again and again at no cost
// to them. It is not believed, and the tasks stay its own until it has ended.
func TestUnaskedReturnsAreLies(t *testing.T) {
	for name, lie := range map[string]func(*puppet) error{
		"recalled": func(p *puppet) error { return p.lane.Recalled([]uint64{p.seq("a")}) },
		"nothing":  func(p *puppet) error { return p.lane.Recalled(nil) },
		"unstarted": func(p *puppet) error {
			return p.lane.Results([]worker.Answer{{Result: wire.Result{Seq: p.seq("a"), Outcome: ipc.OutcomeUnstarted}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := settings()
			cfg.MaxAttempts = 1
			bubble(t, cfg, func(t *testing.T, r *rig) {
				p := r.worker(0)
				r.submitAll("a")
				p.take()
				if err := lie(p); err == nil {
					t.Error("believed")
				}
				r.state("a", task.StateRunning)
				p.exit(&worker.Exit{Reason: worker.ReasonBadFrame})
				if res := r.ended("a", task.Dead); res.Started != 1 || res.Err.Kind != task.KindBadFrame {
					t.Errorf("got %+v", res)
				}
			})
		})
	}
}
