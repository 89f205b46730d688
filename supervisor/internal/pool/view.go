package pool

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor/internal/worker"
)

// View is what a pool looks like from outside.
type View struct {
	Degraded string
	Reload   string // why the last reload was taken back
	Size     int    // how many workers there are to be
	Restarts map[string]uint64
	PeakRSS  uint64 // bytes
	Workers  []WorkerView
}

// WorkerView is one worker of it.
type WorkerView struct {
	Name, State, Task string
	PID               int
	RSS, PeakRSS      uint64 // bytes
	CPU, Age          time.Duration
	TasksDone         uint64
}

// View returns figures as of now, the workers oldest first.
func (p *Pool) View() View {
	p.mu.Lock()
	v := View{Degraded: p.degraded, Reload: p.reload, Size: p.workers, Restarts: map[string]uint64{}, PeakRSS: p.peak}
	for reason, n := range p.restarts {
		v.Restarts[reason.String()] = n
	}
	members := slices.Collect(maps.Values(p.members))
	p.mu.Unlock()
	slices.SortFunc(members, func(a, b *member) int { return cmp.Compare(b.w.Age(), a.w.Age()) })
	for _, m := range members {
		w := m.view()
		v.PeakRSS = max(v.PeakRSS, w.PeakRSS)
		v.Workers = append(v.Workers, w)
	}
	return v
}

// view reads only what never changes or has its own lock: it is not the loop's.
func (m *member) view() WorkerView {
	l := m.lane.View()
	v := WorkerView{
		Name: m.w.Name(), PID: m.w.PID(), State: m.w.State().String(), Task: l.Task,
		Age: m.w.Age(), TasksDone: l.Answered,
	}
	if m.w.State() == worker.StateReady && l.InPipe > 0 {
		v.State = worker.StateBusy.String()
	}
	if m.w.Process() != nil { // an error means that it has just ended
		v.RSS, _ = m.w.Memory()
		v.CPU, _ = m.w.CPU()
	}
	v.PeakRSS = m.w.Peak()
	return v
}

// Serves returns what the plugin said of itself when a worker last became ready.
func (p *Pool) Serves() ipc.Ready {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.serves
}

// Size is how many workers there are to be.
func (p *Pool) Size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.workers
}
