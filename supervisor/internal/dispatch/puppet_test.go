package dispatch

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
	"github.com/brood-run/brood/supervisor/internal/worker"
)

// puppet plays a worker process. It does nothing by itself: the test takes tasks,
// answers them and lets it die. What the dispatcher asks of it is noted.
type puppet struct {
	rig  *rig
	lane *Lane
	name string
	pipe []wire.Execute // taken, not answered

	wedged atomic.Bool // it starts nothing

	mu      sync.Mutex
	woken   bool
	cancels []cancel
	recalls []uint64
	ended   worker.Reason // why it was killed, if it was
	culprit uint64
	wearing int
	empty   int
}

type cancel struct {
	seq   uint64
	cause ipc.Cause
}

func (p *puppet) Name() string { return p.name }
func (p *puppet) PID() int     { return 42 }

func (p *puppet) note(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do()
}

func (p *puppet) Wake() { p.note(func() { p.woken = true }) }

func (p *puppet) Cancel(seq uint64, cause ipc.Cause) {
	p.note(func() { p.cancels = append(p.cancels, cancel{seq, cause}) })
}

func (p *puppet) Recall(seq uint64) { p.note(func() { p.recalls = append(p.recalls, seq) }) }

func (p *puppet) Dump(r worker.Reason, culprit uint64, _ error) {
	p.note(func() { p.ended, p.culprit = r, culprit })
}

// take lets the writer run if it was woken, and returns the ids of what came.
func (p *puppet) take() []string {
	p.mu.Lock()
	woken := p.woken
	p.woken = false
	p.mu.Unlock()
	var ids []string
	for more := woken; more; {
		n := p.lane.Take(func(es []wire.Execute) {
			p.pipe = append(p.pipe, es...)
			for i := range es {
				ids = append(ids, es[i].TaskID)
			}
		})
		more = n > 0
	}
	return ids
}

// seq is the number under which a task is in the pipe.
func (p *puppet) seq(id string) uint64 {
	i := slices.IndexFunc(p.pipe, func(e wire.Execute) bool { return e.TaskID == id })
	if i < 0 {
		p.rig.t.Fatalf("task %s is not in the pipe of %s: %v", id, p.name, p.ids())
	}
	return p.pipe[i].Seq
}

func (p *puppet) ids() []string {
	var ids []string
	for _, e := range p.pipe {
		ids = append(ids, e.TaskID)
	}
	return ids
}

func (p *puppet) drop(seq uint64) {
	p.pipe = slices.DeleteFunc(p.pipe, func(e wire.Execute) bool { return e.Seq == seq })
}

// reply answers a task with any result.
func (p *puppet) reply(id string, r wire.Result) {
	r.Seq = p.seq(id)
	p.drop(r.Seq)
	if err := p.lane.Results([]worker.Answer{{Result: r}}); err != nil {
		p.rig.t.Fatalf("%s answered %s: %v", p.name, id, err)
	}
}

// answer answers a task after a run of a microsecond.
func (p *puppet) answer(id string, o ipc.Outcome) {
	p.reply(id, wire.Result{Outcome: o, RunNS: 1000, Message: []byte("says " + p.name)})
}

func (p *puppet) complete(ids ...string) {
	for _, id := range ids {
		p.answer(id, ipc.OutcomeCompleted)
	}
}

// giveBack obeys the last Recall and returns what it gave back.
func (p *puppet) giveBack() []string {
	from := p.recalls[len(p.recalls)-1]
	var seqs []uint64
	var ids []string
	for _, e := range p.pipe {
		if e.Seq >= from {
			seqs, ids = append(seqs, e.Seq), append(ids, e.TaskID)
		}
	}
	for _, seq := range seqs {
		p.drop(seq)
	}
	if err := p.lane.Recalled(seqs); err != nil {
		p.rig.t.Fatalf("%s gave back %v: %v", p.name, ids, err)
	}
	return ids
}

// die ends the process; begun is the last task it has begun, "" if none.
func (p *puppet) die(reason worker.Reason, begun string) *worker.Exit {
	e := &worker.Exit{Worker: p.name, PID: 42, Ready: true, Reason: reason, Culprit: p.culprit, StartedKnown: true}
	if begun != "" {
		e.Started = p.seq(begun)
	}
	p.exit(e)
	return e
}

func (p *puppet) exit(e *worker.Exit) {
	p.pipe = nil
	p.rig.puppets = slices.DeleteFunc(p.rig.puppets, func(x *puppet) bool { return x == p })
	p.lane.Exited(e)
}

// Started implements Worker.
func (p *puppet) Started(uint64) bool { return !p.wedged.Load() }
