package worker

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/proc"
)

// rig is a worker's pool and lane: it hands out what the test gives it and keeps what
// comes back.
type rig struct {
	t       *testing.T
	w       *Worker
	ready   chan ipc.Ready
	results chan Answer
	exit    chan *Exit
	asked   chan string

	mu    sync.Mutex
	queue []wire.Execute
	pipe  []uint64
	last  uint64
}

// launch starts a worker of the plugin that misbehaves and kills it after the test.
func launch(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	spawner := proc.NewSpawner()
	t.Cleanup(spawner.Close)
	cfg := &Config{
		Pool: "pool", Path: filepath.Join(bin, "faulty"), Slots: 1, MaxFrame: 1 << 20,
		StartTimeout: 10 * time.Second, StopGrace: 5 * time.Second, Heartbeat: time.Second, Missed: 10,
		Spawner: spawner, Logger: hclog.NewNullLogger(), Events: &event.Hub{},
	}
	if change != nil {
		change(cfg)
	}
	if cfg.Program == nil {
		cfg.Program = NewProgram(cfg.Path, nil)
	}
	r := &rig{
		t: t, ready: make(chan ipc.Ready, 1), results: make(chan Answer, 100),
		exit: make(chan *Exit, 1), asked: make(chan string, 1),
	}
	r.w = Start(cfg, "pool-1", r, func(w *Worker) Tasks { r.w = w; return r })
	var pulse sync.WaitGroup
	pulse.Go(func() { r.look(cfg.Heartbeat) })
	t.Cleanup(func() { r.w.Kill(ReasonShutdown, nil); <-r.w.Done(); pulse.Wait() })
	return r
}

// look is the pool's part in finding a stopped worker.
func (r *rig) look(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.w.Pulse()
		case <-r.w.Done():
			return
		}
	}
}

// up is launch that waits until the worker takes tasks.
func up(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	r := launch(t, change)
	<-r.ready
	return r
}

// do writes a task into the pipe and returns its number.
func (r *rig) do(name, payload string) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	r.queue = append(r.queue, wire.Execute{Seq: r.last, Name: name, TaskID: fmt.Sprint(r.last), Payload: []byte(payload), Attempt: 1})
	r.w.Wake()
	return r.last
}

func (r *rig) Ready(ready ipc.Ready) { r.ready <- ready }

func (r *rig) Take(emit func([]wire.Execute)) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.queue)
	for i := range r.queue {
		r.pipe = append(r.pipe, r.queue[i].Seq)
	}
	if n > 0 {
		emit(r.queue)
	}
	r.queue = nil
	return n
}

func (r *rig) Results(as []Answer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range as {
		a.Payload = append([]byte(nil), a.Payload...)
		r.results <- a
		r.pipe = r.pipe[1:]
	}
	return nil
}

func (r *rig) Recalled([]uint64) error       { return nil }
func (r *rig) Progress(uint64, ipc.Progress) {}
func (r *rig) Exited(e *Exit)                { r.exit <- e }

func (r *rig) Label(seq uint64) (string, int, bool) { return fmt.Sprint(seq), 1, true }

func (r *rig) Running() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pipe) == 0 {
		return 0
	}
	return r.pipe[0]
}

func (r *rig) WorkerReady(*Worker)             {}
func (r *rig) WorkerAsked(_ *Worker, s string) { r.asked <- s }
func (r *rig) CountExit(*Exit)                 {}
func (r *rig) WorkerExited(*Worker, *Exit)     {}
