package dispatch

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/ipc/wire"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/pool"
	"github.com/brood-run/brood/supervisor/internal/worker"
	"github.com/brood-run/brood/supervisor/task"
)

// machine plays a worker that answers everything at once: no process, no pipe, only
// what the dispatcher itself costs.
type machine struct {
	lane    *Lane
	wake    chan struct{}
	answers []worker.Answer
	payload []byte
}

func (m *machine) Name() string                      { return "machine" }
func (m *machine) PID() int                          { return 42 }
func (m *machine) Cancel(uint64, ipc.Cause)          {}
func (m *machine) Recall(uint64)                     {}
func (m *machine) Dump(worker.Reason, uint64, error) {}
func (m *machine) Started(uint64) bool               { return true }

func (m *machine) Wake() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// run takes and answers until wake is closed.
func (m *machine) run(t testing.TB) {
	for range m.wake {
		for m.step(t) {
		}
	}
}

// step does what one write and one read of a worker do. It says whether there was anything.
func (m *machine) step(t testing.TB) bool {
	m.answers = m.answers[:0]
	m.lane.Take(func(tasks []wire.Execute) {
		for i := range tasks {
			m.answers = append(m.answers, worker.Answer{Result: wire.Result{Seq: tasks[i].Seq, RunNS: 500, Payload: m.payload}})
		}
	})
	if len(m.answers) == 0 {
		return false
	}
	if err := m.lane.Results(m.answers); err != nil {
		t.Error(err)
	}
	return true
}

// finishing counts the jobs that have ended.
type finishing struct{ left sync.WaitGroup }

func (f *finishing) Finished(*Job) { f.left.Done() }

func benchDispatcher(b *testing.B, lanes int) (*Dispatcher, []*machine) {
	b.Helper()
	cfg := settings()
	cfg.Workers, cfg.QueueSize, cfg.Logger, cfg.Events, cfg.Epoch = lanes, 4096, hclog.NewNullLogger(), &event.Hub{}, time.Now()
	d := New(cfg)
	machines := make([]*machine, lanes)
	for i := range machines {
		m := &machine{wake: make(chan struct{}, 1), payload: make([]byte, 64)}
		m.lane = d.source(cfg.Settings).newLane(m, 0, pool.Notify{Wearing: func() {}, Empty: func() {}})
		m.lane.Ready(ipc.Ready{Tasks: []string{"x"}, SDK: "machine"})
		machines[i] = m
	}
	b.Cleanup(func() {
		d.Stop()
		for _, m := range machines {
			m.lane.Exited(&worker.Exit{Reason: worker.ReasonShutdown})
		}
		d.Close()
	})
	return d, machines
}

// BenchmarkRoad is a task from Submit to Finished: one goroutine submits, one for each lane
// takes and answers.
func BenchmarkRoad(b *testing.B) {
	for _, lanes := range []int{1, 2, 64} {
		b.Run(fmt.Sprintf("lanes=%d", lanes), func(b *testing.B) { benchRoad(b, lanes, 1) })
	}
}

// BenchmarkSubmitters is the same with many who submit at the same time.
func BenchmarkSubmitters(b *testing.B) {
	for _, submitters := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("submitters=%d", submitters), func(b *testing.B) { benchRoad(b, 2, submitters) })
	}
}

func benchRoad(b *testing.B, lanes, submitters int) {
	d, machines := benchDispatcher(b, lanes)
	var running, submitting sync.WaitGroup
	for _, m := range machines {
		running.Go(func() { m.run(b) })
	}
	var f finishing
	next := make(chan int, submitters)
	for range submitters {
		submitting.Go(func() {
			for n := range next {
				for range n {
					f.left.Add(1)
					j := NewJob(task.Task{ID: "x", Payload: machines[0].payload}, &f, false)
					if err := d.Submit(context.Background(), j, time.Now()); err != nil {
						b.Error(err)
					}
				}
			}
		})
	}
	// By chunks, so that the channel costs next to nothing.
	const chunk = 64
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n++; n == chunk {
			next <- n
			n = 0
		}
	}
	next <- n
	close(next)
	submitting.Wait()
	f.left.Wait()
	b.StopTimer()
	for _, m := range machines {
		close(m.wake)
	}
	running.Wait()
}

// BenchmarkSteps is Submit, Take and Results by one goroutine, batch tasks at a time: what
// they cost without anybody who waits for anybody.
func BenchmarkSteps(b *testing.B) {
	for _, batch := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			d, machines := benchDispatcher(b, 1)
			var f finishing
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				f.left.Add(1)
				if err := d.TrySubmit(NewJob(task.Task{ID: "x", Payload: machines[0].payload}, &f, false), time.Now()); err != nil {
					b.Fatal(err)
				}
				if n++; n%batch == 0 {
					for machines[0].step(b) {
					}
				}
			}
			for machines[0].step(b) {
			}
			f.left.Wait()
		})
	}
}
