package pool_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/internal/dispatch"
	"github.com/brood-run/brood/supervisor/internal/policy"
	"github.com/brood-run/brood/supervisor/internal/pool"
	"github.com/brood-run/brood/supervisor/internal/proc"
	"github.com/brood-run/brood/supervisor/internal/worker"
	"github.com/brood-run/brood/supervisor/task"
)

// rig is a pool of real workers with the dispatcher of its tasks.
type rig struct {
	t      *testing.T
	pool   *pool.Pool
	tasks  *dispatch.Dispatcher
	events *event.Subscription
}

// begin starts a pool of the plugin that misbehaves and ends it after the test.
func begin(t *testing.T, change func(*pool.Config)) *rig {
	t.Helper()
	hub, spawner := &event.Hub{}, proc.NewSpawner()
	r := &rig{t: t, events: hub.Subscribe(10_000)}
	cfg := pool.Config{
		Workers: 2,
		Settings: pool.Settings{Worker: &worker.Config{
			Pool: "pool", Path: filepath.Join(bin, "faulty"), Slots: 1, MaxFrame: 1 << 20,
			StartTimeout: 10 * time.Second, StopGrace: 5 * time.Second, Heartbeat: time.Second, Missed: 10,
			Spawner: spawner, Logger: hclog.NewNullLogger(), Events: hub,
		}},
	}
	if change != nil {
		change(&cfg)
	}
	cfg.Worker.Program = worker.NewProgram(cfg.Worker.Path, nil)
	settings := dispatch.Settings{
		Slots: 1, Window: 256, CancelGrace: time.Second, MaxAttempts: 3, MaxCrashes: 2,
		Backoff: policy.Backoff{Base: time.Millisecond, Cap: time.Second},
	}
	r.tasks = dispatch.New(dispatch.Config{
		Epoch: time.Now(), Pool: "pool", QueueSize: 1000, ResultLimit: 1000, Workers: cfg.Workers, Settings: settings,
		Logger: hclog.NewNullLogger(), Events: hub, Demand: func() { r.pool.Demand() },
	})
	cfg.Tasks = r.tasks.Source(settings)
	r.pool = pool.New(cfg)
	r.pool.Start()
	t.Cleanup(func() {
		r.tasks.Stop()
		r.pool.Kill()
		<-r.pool.Done()
		r.tasks.Close()
		spawner.Close()
		hub.Close()
	})
	return r
}

// finished is the owner of a job that somebody waits for.
type finished chan *dispatch.Job

func (f finished) Finished(j *dispatch.Job) { f <- j }

func (r *rig) run(name, payload string) task.Result {
	r.t.Helper()
	over := make(finished, 1)
	j := dispatch.NewJob(task.Task{ID: name, Name: name, Payload: []byte(payload)}, over, false)
	if err := r.tasks.Submit(r.t.Context(), j, time.Now()); err != nil {
		r.t.Fatal(err)
	}
	return (<-over).Result
}

// until waits for the first event that it is looking for.
func until[E event.Event](r *rig, is func(E) bool) E {
	r.t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case e := <-r.events.C():
			if e, ok := e.(E); ok && is(e) {
				return e
			}
		case <-late:
			r.t.Fatalf("no such %T within 20 s", *new(E))
		}
	}
}

func every[E event.Event](E) bool { return true }
