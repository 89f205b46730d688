package dispatch

import (
	"testing"
	"testing/synctest"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
	"pgregory.net/rapid"
)

// However workers of several slots crash, each that can take tasks is asked to as long as there are any.
func TestRandomCrashesForgetNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(timeless{t}, func(t *rapid.T) { crowd(t) })
	})
}

// crowd is a life of many crashes and nothing else.
func crowd(t *rapid.T) {
	cfg := settings()
	cfg.Workers = rapid.IntRange(2, 3).Draw(t, "workers")
	cfg.Slots = rapid.IntRange(2, 3).Draw(t, "slots")
	cfg.Window = cfg.Slots
	cfg.QueueSize, cfg.MaxAttempts, cfg.MaxCrashes = 50, 9, 9
	w := &world{rig: newRig(t, cfg), slots: cfg.Slots, entered: map[string]int{}, begun: map[*puppet][]uint64{}, obeyed: map[*puppet]int{}}
	defer w.abandon()
	one := func(do func(*puppet)) func(*rapid.T) { return func(t *rapid.T) { do(w.puppet(t)) } }
	t.Repeat(map[string]func(*rapid.T){
		"submit": w.submitOne, "again": w.submitOne,
		"start": func(t *rapid.T) {
			for len(w.puppets) < cfg.Workers {
				w.worker(0)
			}
		},
		"take": func(*rapid.T) {
			for _, p := range w.puppets {
				p.take()
			}
		},
		"enter": func(t *rapid.T) { w.enter(t) },
		"answer": one(func(p *puppet) {
			if len(p.pipe) > 0 {
				w.answer(p, p.pipe[0].Seq, wire.Result{Outcome: ipc.OutcomeCompleted, RunNS: 1000})
			}
		}),
		"crash": w.crash, "cancel": w.cancelOne, "obey": w.obey, "": w.check,
	})
	w.goodTimes(t)
	w.close()
}
