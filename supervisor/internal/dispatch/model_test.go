package dispatch

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
	"github.com/brood-run/brood/supervisor/internal/worker"
	"github.com/brood-run/brood/supervisor/task"
)

// Whatever workers do and in whatever order, every task ends exactly once, no handler
// is entered more often than allowed, and nothing is left when all is over.
func TestRandomLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(timeless{t}, func(t *rapid.T) { live(t) })
	})
}

// timeless hides the deadline of a test: it is not for those that live in a bubble.
type timeless struct{ testing.TB }

// world is a dispatcher with puppets that behave as processes do: they enter handlers in
// the order in which tasks came, as many at once as they have slots.
type world struct {
	*rig
	slots   int
	entered map[string]int       // by task: how often its handler was really entered
	begun   map[*puppet][]uint64 // handlers running, by puppet
	obeyed  map[*puppet]int      // recalls answered
	stopped bool
}

func live(t *rapid.T) {
	cfg := settings()
	cfg.Workers = rapid.IntRange(1, 3).Draw(t, "workers")
	cfg.Slots = rapid.IntRange(1, 3).Draw(t, "slots")
	cfg.Window = rapid.SampledFrom([]int{cfg.Slots, 8, 256}).Draw(t, "window")
	cfg.QueueSize = 50
	cfg.HardTimeout = 20 * time.Second
	w := &world{
		rig: newRig(t, cfg), slots: cfg.Slots, entered: map[string]int{},
		begun: map[*puppet][]uint64{}, obeyed: map[*puppet]int{},
	}
	defer w.abandon()
	t.Repeat(map[string]func(*rapid.T){
		"submit": w.submitOne, "start": w.startWorker, "take": w.takeSome, "enter": w.enter,
		"answer": w.answerOne, "crash": w.crash, "obey": w.obey, "cancel": w.cancelOne,
		"leave": w.leave, "retire": w.retire, "tick": w.tick, "stop": w.stopAll, "": w.check,
	})
	w.goodTimes(t)
	w.close()
	for id, n := range w.entered {
		j, res := w.jobs[id], w.results[id]
		if n > j.maxStarts() || res.Started > j.maxStarts() {
			t.Fatalf("task %s may start %d times: entered %d, counted %d", id, j.maxStarts(), n, res.Started)
		}
		if res.Started < n {
			t.Fatalf("task %s was entered %d times, counted %d", id, n, res.Started)
		}
	}
}

// goodTimes has every worker behave, but only act when it is woken: then all tasks must
// end by themselves.
func (w *world) goodTimes(t *rapid.T) {
	for round := 0; len(w.results) < len(w.jobs); round++ {
		if round == 100 {
			t.Fatalf("tasks are stuck: %+v", w.d.Counts())
		}
		if len(w.puppets) < w.d.cfg.Workers {
			w.worker(0)
		}
		for _, p := range slices.Clone(w.puppets) {
			w.behave(t, p)
		}
		w.advance(10 * time.Second)
	}
}

func (w *world) behave(t *rapid.T, p *puppet) {
	w.comply(t, p)
	p.take()
	for len(p.pipe) > 0 {
		e := p.pipe[0]
		if !slices.Contains(w.begun[p], e.Seq) {
			w.entered[e.TaskID]++
		}
		w.answer(p, e.Seq, wire.Result{RunNS: 1000})
		p.take()
	}
	if p.empty > 0 || p.ended != worker.ReasonNone {
		p.exit(&worker.Exit{Reason: worker.ReasonMaxTasks})
	}
}

func (w *world) puppet(t *rapid.T) *puppet {
	if len(w.puppets) == 0 {
		t.Skip("no worker")
	}
	return w.puppets[rapid.IntRange(0, len(w.puppets)-1).Draw(t, "worker")]
}

func (w *world) submitOne(t *rapid.T) {
	id := fmt.Sprint(len(w.jobs))
	o := task.Options{
		Priority:    rapid.IntRange(0, 2).Draw(t, "priority"),
		MaxAttempts: rapid.IntRange(0, 4).Draw(t, "attempts"),
		AtMostOnce:  rapid.Bool().Draw(t, "once"),
		Expires:     rapid.SampledFrom([]time.Duration{0, 0, time.Second}).Draw(t, "expires"),
	}
	j := w.job(id, o)
	if err := w.d.TrySubmit(j, time.Now()); err != nil {
		delete(w.jobs, id)
		if w.stopped != (err == ErrClosed) {
			t.Fatalf("submit: %v", err)
		}
	}
}

func (w *world) startWorker(t *rapid.T) {
	if len(w.puppets) > 5 {
		t.Skip("enough")
	}
	w.worker(rapid.SampledFrom([]int{0, 0, 1, 5}).Draw(t, "limit"))
}

func (w *world) takeSome(t *rapid.T) { w.puppet(t).take() }

// enter has a worker enter its next handler, if it has a free slot.
func (w *world) enter(t *rapid.T) {
	p := w.puppet(t)
	if len(w.begun[p]) == w.slots || len(w.begun[p]) == len(p.pipe) {
		t.Skip("nothing to enter")
	}
	i := slices.IndexFunc(p.pipe, func(e wire.Execute) bool { return !slices.Contains(w.begun[p], e.Seq) })
	w.begun[p] = append(w.begun[p], p.pipe[i].Seq)
	w.entered[p.pipe[i].TaskID]++
}

func (w *world) answerOne(t *rapid.T) {
	p := w.puppet(t)
	if len(w.begun[p]) == 0 {
		t.Skip("nothing runs")
	}
	seq := rapid.SampledFrom(w.begun[p]).Draw(t, "task")
	w.answer(p, seq, wire.Result{
		Outcome: rapid.SampledFrom([]ipc.Outcome{
			ipc.OutcomeCompleted, ipc.OutcomeError, ipc.OutcomePanic, ipc.OutcomePermanent, ipc.OutcomeRetryAfter,
		}).Draw(t, "outcome"),
		RunNS: rapid.SampledFrom([]uint64{1000, 1000_000_000}).Draw(t, "run"),
	})
}

func (w *world) answer(p *puppet, seq uint64, r wire.Result) {
	i := slices.IndexFunc(p.pipe, func(e wire.Execute) bool { return e.Seq == seq })
	p.reply(p.pipe[i].TaskID, r)
	w.begun[p] = slices.DeleteFunc(w.begun[p], func(s uint64) bool { return s == seq })
}

// crash ends a worker, with or without its scoreboard.
func (w *world) crash(t *rapid.T) {
	p := w.puppet(t)
	reason := worker.ReasonSignal
	if p.ended != worker.ReasonNone {
		reason = p.ended
	}
	e := &worker.Exit{Reason: reason, Culprit: p.culprit, StartedKnown: rapid.Bool().Draw(t, "scoreboard")}
	for _, seq := range w.begun[p] {
		e.Started = max(e.Started, seq)
	}
	p.exit(e)
}

// obey has a worker do what it was last asked: give tasks back, or give up on them.
func (w *world) obey(t *rapid.T) { w.comply(t, w.puppet(t)) }

func (w *world) comply(t *rapid.T, p *puppet) {
	if n := len(p.recalls); n > w.obeyed[p] {
		w.obeyed[p] = n
		keep := w.begun[p]
		var back []uint64
		for _, e := range p.pipe {
			if e.Seq >= p.recalls[n-1] && !slices.Contains(keep, e.Seq) {
				back = append(back, e.Seq)
			}
		}
		for _, seq := range back {
			p.drop(seq)
		}
		if err := p.lane.Recalled(back); err != nil {
			t.Fatalf("%v", err)
		}
	}
	for _, c := range p.cancels {
		switch {
		case slices.Contains(w.begun[p], c.seq):
			w.answer(p, c.seq, wire.Result{Outcome: ipc.OutcomeCancelled, RunNS: 1000})
		case slices.ContainsFunc(p.pipe, func(e wire.Execute) bool { return e.Seq == c.seq }):
			w.answer(p, c.seq, wire.Result{Outcome: ipc.OutcomeUnstarted})
		}
	}
	p.cancels = nil
}

func (w *world) cancelOne(t *rapid.T) {
	if len(w.jobs) == 0 {
		t.Skip("no task")
	}
	j := w.jobs[fmt.Sprint(rapid.IntRange(0, len(w.jobs)-1).Draw(t, "task"))]
	if j == nil {
		t.Skip("was refused")
	}
	if rapid.Bool().Draw(t, "abandon") {
		j.Abandon()
	} else {
		j.Cancel()
	}
}

// leave has a worker go that was told that it may.
func (w *world) leave(t *rapid.T) {
	p := w.puppet(t)
	if p.empty == 0 {
		t.Skip("not empty")
	}
	if p.empty > 1 || len(p.pipe) > 0 {
		t.Fatalf("told empty %d times with %v", p.empty, p.ids())
	}
	p.exit(&worker.Exit{Reason: worker.ReasonMaxTasks})
}

func (w *world) retire(t *rapid.T) { w.puppet(t).lane.Retire() }

func (w *world) tick(t *rapid.T) {
	w.advance(time.Duration(rapid.IntRange(1, 5_000).Draw(t, "ms")) * time.Millisecond)
}

func (w *world) stopAll(t *rapid.T) {
	if w.stopped || rapid.IntRange(0, 9).Draw(t, "rarely") > 0 {
		t.Skip("not now")
	}
	w.stopped = true
	w.d.Stop()
}

// check compares the books with what puppets hold and with the states of all tasks.
func (w *world) check(t *rapid.T) {
	synctest.Wait()
	held := 0
	for _, p := range w.puppets {
		held += len(p.pipe)
		if len(p.pipe) > max(256, w.slots) {
			t.Fatalf("%d tasks in one pipe", len(p.pipe))
		}
	}
	w.nobodyIsForgotten(t)
	c, states := w.d.Counts(), map[task.State]int{}
	for id, j := range w.jobs {
		states[j.state]++
		if _, ended := w.results[id]; ended != j.state.Final() {
			t.Fatalf("task %s is %v, ended: %v", id, j.state, ended)
		}
	}
	if c.Running != held || c.Running != states[task.StateRunning] || c.Queued != states[task.StateQueued] ||
		c.Retrying != states[task.StateRetrying] || c.Done != uint64(len(w.results)) {
		t.Fatalf("counted %+v, held %d, states %v, %d results", c, held, states, len(w.results))
	}
}

// nobodyIsForgotten looks for workers that could take tasks and will not be asked to: each that has nothing to do is
// on the list of those, or has been woken; and if there is something to do for one on the list, somebody has been woken.
func (w *world) nobodyIsForgotten(t *rapid.T) {
	d := w.d
	d.mu.Lock()
	defer d.mu.Unlock()
	woken := false
	for _, p := range w.puppets {
		woken = woken || p.woken
	}
	for _, p := range w.puppets {
		l := p.lane
		if !l.active || l.retired || l.limit > 0 && l.taken >= l.limit || len(l.pipe) > 0 || p.woken {
			continue
		}
		if !l.idle {
			t.Fatalf("%s is empty and forgotten: reserved %v, solo %v, %d suspects, %d queued", p.name, d.reserved == l, l.solo, len(d.suspects), d.queued)
		}
		if d.waiting() > 0 && !woken {
			t.Fatalf("%s is idle beside %d suspects and %d in the queue", p.name, len(d.suspects), d.queued)
		}
	}
}
