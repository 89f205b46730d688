package dispatch

import (
	"testing"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor/internal/worker"
	"github.com/brood-run/brood/supervisor/task"
)

// A task has the timeouts of the worker it runs in, whatever is in force meanwhile.
func TestTimeoutsGoWithTheWorker(t *testing.T) {
	cfg := settings()
	cfg.Workers, cfg.HardTimeout, cfg.MaxAttempts = 2, time.Minute, 1
	bubble(t, cfg, func(t *testing.T, r *rig) {
		old := r.worker(0)
		next := cfg.Settings
		next.HardTimeout = time.Second
		s := r.d.source(next)
		s.Adopt(ipc.Ready{})
		young := r.workerOf(s, 0)
		r.submitAll("a", "b")
		old.take()
		young.take()
		r.advance(10 * time.Second)
		if old.ended != worker.ReasonNone || young.ended != worker.ReasonHardTimeout {
			t.Errorf("after 10 s the old worker is ended for %v, the young one for %v", old.ended, young.ended)
		}
		r.advance(time.Minute)
		if old.ended != worker.ReasonHardTimeout {
			t.Errorf("the old one is ended for %v", old.ended)
		}
		for _, p := range []*puppet{old, young} {
			p.die(p.ended, p.ids()[0])
		}
	})
}

// Attempts are counted by what is in force when one has failed.
func TestAdoptedAttempts(t *testing.T) {
	cfg := settings()
	cfg.MaxAttempts = 3
	bubble(t, cfg, func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.submitAll("a")
		p.take()
		next := cfg.Settings
		next.MaxAttempts = 1
		r.d.source(next).Adopt(ipc.Ready{})
		p.answer("a", ipc.OutcomeError)
		if res := r.ended("a", task.Dead); res.Started != 1 {
			t.Errorf("got %+v", res)
		}
	})
}

// What the new workers serve is asked of tasks once they are the pool's.
func TestAdoptedHandlers(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.submitAll("a")
		if p.take(); p.pipe[0].Name != "x" {
			t.Errorf("got %+v", p.pipe[0])
		}
		p.complete("a")
		r.d.source(r.d.cfg.Settings).Adopt(ipc.Ready{SDK: "puppet", Tasks: []string{"y"}})
		r.submitAll("b")
		if p.take(); p.pipe[0].Name != "y" {
			t.Errorf("got %+v", p.pipe[0])
		}
		p.complete("b")
	})
}

// More lanes may take tasks at once, fewer only when others have left.
func TestResize(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		a, b, c := r.worker(0), r.worker(0), r.worker(0)
		s := r.d.source(r.d.cfg.Settings)
		r.submitAll("1", "2", "3")
		a.take()
		if len(b.take())+len(c.take()) > 0 {
			t.Fatal("a standby took a task")
		}
		s.Resize(2)
		if b.take(); len(b.pipe) == 0 || len(c.take()) > 0 {
			t.Errorf("b has %v, c has %v", b.ids(), c.ids())
		}
		s.Resize(1)
		b.lane.Retire()
		b.complete(b.ids()...)
		if got := c.take(); b.empty != 1 || got != nil {
			t.Errorf("one too many: c took %v", got)
		}
		a.lane.Retire()
		if len(a.recalls) > 0 {
			a.giveBack()
		}
		a.complete(a.ids()...)
		for c.take(); len(c.pipe) > 0; c.take() {
			c.complete(c.ids()...)
		}
	})
}

// A worker that was to leave before it had come takes no other's place.
func TestRetiredBeforeItIsReady(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := &puppet{rig: r, name: "late"}
		p.lane = r.d.source(r.d.cfg.Settings).newLane(p, 0, p.notify())
		r.puppets = append(r.puppets, p)
		p.lane.Retire()
		p.lane.Ready(ipc.Ready{Tasks: []string{"x"}, SDK: "puppet"})
		q := r.worker(0)
		r.submitAll("a")
		if len(p.take()) > 0 || len(q.take()) == 0 || p.lane.active {
			t.Errorf("%v and %v", p.ids(), q.ids())
		}
		q.complete("a")
	})
}

// As many slots as lanes that drain have free for good are given to others, a worker's at a time: what
// runs at once stays within the pool's number.
func TestFreeSlotsOfDrainingLanesAreUsed(t *testing.T) {
	cfg := settings()
	cfg.Workers, cfg.Slots, cfg.Window = 2, 2, 2
	bubble(t, cfg, func(t *testing.T, r *rig) {
		a, b := r.worker(0), r.worker(0)
		r.submitAll("1", "2", "3", "4")
		a.take()
		b.take()
		young := r.worker(0)
		a.lane.Retire()
		b.lane.Retire()
		r.submitAll("5", "6", "7")
		if got := young.take(); got != nil {
			t.Fatalf("took %v beside four", got)
		}
		a.complete(a.ids()[0])
		if got := young.take(); got != nil {
			t.Fatalf("took %v beside three", got)
		}
		b.complete(b.ids()[0])
		if got := young.take(); len(got) != 2 {
			t.Fatalf("took %v beside two", got)
		}
		another := r.worker(0)
		if got := another.take(); got != nil {
			t.Fatalf("took %v beside four", got)
		}
		for _, p := range []*puppet{a, b, young} {
			p.complete(p.ids()...)
		}
		another.take()
		young.take()
		for _, p := range []*puppet{young, another} {
			p.complete(p.ids()...)
		}
	})
}
