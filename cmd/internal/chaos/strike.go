package chaos

import (
	"time"

	"github.com/brood-run/brood/supervisor/event"
)

// begins notes that a task which is a fault has reached a worker.
func (b *book) begins(e event.TaskStarted) {
	s, is := b.faults[e.Task]
	if !is {
		return
	}
	if w := b.worker(e.Worker); w != nil && (w.hit == nil || w.hit.Fault.by().mild) {
		b.note(w, s, e.Time)
	}
}

func (b *book) note(w *inmate, s Strike, at time.Time) *hit {
	h := &hit{Strike: s, worker: w.name, pid: w.pid, at: at}
	w.hit = h
	b.struck[w.name] = append(b.struck[w.name], h)
	b.hits = append(b.hits, h)
	return h
}

// survival is how long after a mild strike a worker that still lives counts as one that
// has survived it.
const survival = 100 * time.Millisecond

// open says that a worker is not dying of a strike.
func (w *inmate) open(at time.Time) bool {
	return w.hit == nil || w.hit.Fault.by().mild && at.Sub(w.hit.at) > survival
}

// strike attacks one of the workers that are up and not dying. It says whether there was one.
func (b *book) strike(s Strike) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	var up []*inmate
	for _, w := range b.workers {
		if w.ready && !w.leaving && w.open(now) {
			up = append(up, w)
		}
	}
	if len(up) == 0 {
		return false
	}
	w := up[s.Pick%uint64(len(up))]
	if !b.attack(w, s.Fault) {
		return false // it has gone by itself meanwhile
	}
	// Its end cannot be entered before this: the lock is held.
	h := b.note(w, s, now)
	if s.Fault == Start {
		b.ambush = h
	}
	return true
}

// spring attacks a worker that starts, if that is what a strike waits for.
func (b *book) spring(w *inmate, at time.Time) {
	if b.ambush == nil {
		return
	}
	h := &hit{Strike: b.ambush.Strike, worker: w.name, pid: w.pid, at: at}
	if b.attack(w, h.Fault) {
		b.ambush, w.hit = nil, h
		b.struck[w.name] = append(b.struck[w.name], h)
	}
}

// fault announces a task that is a strike.
func (b *book) fault(id string, s Strike) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults[id] = s
}
