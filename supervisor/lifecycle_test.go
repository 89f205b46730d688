package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

func TestLifecycleInAnyOrder(t *testing.T) {
	s := create(t, echo(supervisor.PoolConfig{Workers: 1}))
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != supervisor.ErrStarted {
		t.Errorf("second Start: %v", err)
	}
	completed(t, run(t, s, "", ""))
	for range 2 {
		if err := s.Stop(t.Context()); err != nil {
			t.Errorf("Stop: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if err := s.Start(); err != supervisor.ErrClosed {
		t.Errorf("Start after Stop: %v", err)
	}
}

func TestStopBeforeStart(t *testing.T) {
	s := create(t, echo(supervisor.PoolConfig{Workers: 1}))
	events := s.Events(1)
	if err := s.Stop(t.Context()); err != nil {
		t.Errorf("Stop: %v", err)
	}
	if _, open := <-events.C(); open {
		t.Error("events go on")
	}
	if err := s.Start(); err != supervisor.ErrClosed {
		t.Errorf("Start after Stop: %v", err)
	}
	if s.Len() != 0 || s.Processed() != 0 || len(s.Snapshot().Pools) != 0 {
		t.Error("there is something in what never started")
	}
}

// Everybody at once: each task that was accepted ends, and nobody hangs.
func TestStartStopStress(t *testing.T) {
	for round := range 10 {
		s := create(t, echo(supervisor.PoolConfig{Workers: 2}))
		var all sync.WaitGroup
		var mu sync.Mutex
		var handles []*supervisor.Handle
		for range 3 {
			all.Go(func() {
				if err := s.Start(); err != nil && err != supervisor.ErrStarted && err != supervisor.ErrClosed {
					t.Errorf("Start: %v", err)
				}
			})
			all.Go(func() {
				for {
					h, err := s.Submit(context.Background(), task.Task{})
					switch {
					case errors.Is(err, supervisor.ErrClosed):
						return
					case err == nil:
						mu.Lock()
						handles = append(handles, h)
						mu.Unlock()
					}
				}
			})
			all.Go(func() {
				if round%2 == 0 {
					for s.Processed() < 100 && round > 0 {
						if _, err := s.Collect(t.Context()); err != nil {
							t.Error(err)
						}
					}
				}
				s.Close()
			})
			all.Go(func() { s.Snapshot() })
		}
		all.Wait()
		for _, h := range handles {
			select {
			case <-h.Done():
			default:
				t.Fatalf("round %d: task %s has no result", round, h.ID())
			}
		}
	}
}

// Stop: what runs may finish, what waits is cancelled.
func TestStopDrains(t *testing.T) {
	s := start(t, faulty(supervisor.PoolConfig{Workers: 1}))
	events := s.Events(1000)
	running := submit(t, s, "sleep", `{"ms":200}`)
	await(t, events, func(e event.TaskStarted) bool { return e.Task == running.ID() })
	waiting := submit(t, s, "ok", "")
	if err := s.Stop(t.Context()); err != nil {
		t.Errorf("Stop: %v", err)
	}
	completed(t, wait(t, running))
	if r := wait(t, waiting); r.Status != task.Cancelled || r.Started != 0 || r.Err.Kind != task.KindCancelled {
		t.Errorf("waiting: %+v", r)
	}
	if _, err := s.Submit(t.Context(), work("ok", "")); err != supervisor.ErrClosed {
		t.Errorf("Submit after Stop: %v", err)
	}
}

func TestStopKillsWhenItsTimeIsOver(t *testing.T) {
	why := errors.New("second signal")
	for name, c := range map[string]struct {
		grace time.Duration
		ctx   func(context.Context) context.Context
		want  error
	}{
		"grace period": {50 * time.Millisecond, func(ctx context.Context) context.Context { return ctx }, nil},
		"no grace":     {-1, func(ctx context.Context) context.Context { return ctx }, nil},
		"context ended": {time.Hour, func(ctx context.Context) context.Context {
			ctx, cancel := context.WithCancelCause(ctx)
			cancel(why)
			return ctx
		}, why},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := probe(supervisor.PoolConfig{Workers: 2})
			cfg.GracePeriod = c.grace
			s := start(t, cfg)
			events := s.Events(1000)
			h := submit(t, s, "cling", "")
			entered(t, events, h)
			if err := s.Stop(c.ctx(t.Context())); err != c.want {
				t.Errorf("Stop: %v, want %v", err, c.want)
			}
			r := wait(t, h)
			if r.Status != task.Cancelled || len(r.Attempts) != 1 || r.Attempts[0].Outcome != task.OutcomeCancelled {
				t.Errorf("got %+v", r)
			}
		})
	}
}

// A second, impatient Stop hurries the first.
func TestCloseHurriesAStopUnderWay(t *testing.T) {
	s := start(t, probe(supervisor.PoolConfig{Workers: 1}))
	events := s.Events(1000)
	h := submit(t, s, "cling", "")
	entered(t, events, h)
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(context.Background()) }()
	for { // until Stop has begun
		if _, err := s.TrySubmit(work("log", "")); err == supervisor.ErrClosed {
			break
		}
	}
	s.Close()
	if err := <-stopped; err != nil {
		t.Errorf("Stop: %v", err)
	}
	if r := wait(t, h); r.Status != task.Cancelled {
		t.Errorf("got %+v", r)
	}
}

func TestValidationNamesTheField(t *testing.T) {
	type (
		C = supervisor.Config
		P = supervisor.PoolConfig
	)
	pool := func(p P) C {
		if p.Plugin == "" {
			p.Plugin = "/bin/true"
		}
		return C{Pools: []P{p}}
	}
	with := func(c C) C {
		c.Pools = []P{{Plugin: "/bin/true"}}
		return c
	}
	for want, cfg := range map[string]C{
		"pools: at least one":                                 {},
		"queue_size: -1":                                      with(C{QueueSize: -1}),
		"result_limit: -1":                                    with(C{ResultLimit: -1}),
		"max_payload: -1":                                     with(C{MaxPayload: -1}),
		"max_payload: 1073741825":                             with(C{MaxPayload: 1<<30 + 1}),
		"pools[0].plugin: ":                                   {Pools: []P{{Name: "x"}}},
		"pools[0].workers: -1":                                pool(P{Workers: -1}),
		"pools[0].workers: 10001":                             pool(P{Workers: 10_001}),
		"pools[0].slots: -1":                                  pool(P{Slots: -1}),
		"pools[0].slots: 1025":                                pool(P{Slots: 1025, Window: 1025}),
		"pools[0].window: 2":                                  pool(P{Slots: 4, Window: 2}),
		"pools[0].max_tasks_per_child: -1":                    pool(P{MaxTasksPerChild: -1}),
		"pools[0].ttl: -1s":                                   pool(P{TTL: -time.Second}),
		"pools[0].idle_ttl: -1s":                              pool(P{IdleTTL: -time.Second}),
		"pools[0].recycle_jitter: 0.6":                        pool(P{RecycleJitter: 0.6}),
		"pools[0].soft_timeout: -1s":                          pool(P{SoftTimeout: -time.Second}),
		"pools[0].soft_timeout: 2s is above hard_timeout, 1s": pool(P{SoftTimeout: 2 * time.Second, HardTimeout: time.Second}),
		"pools[0].hard_timeout: -1s":                          pool(P{HardTimeout: -time.Second}),
		"pools[0].start_timeout: 1ms":                         pool(P{StartTimeout: time.Millisecond}),
		"pools[0].cancel_grace: -1s":                          pool(P{CancelGrace: -time.Second}),
		"pools[0].heartbeat: 1ms":                             pool(P{Heartbeat: time.Millisecond}),
		"pools[0].missed_heartbeats: 1":                       pool(P{MissedHeartbeats: 1}),
		"pools[0].max_attempts: -1":                           pool(P{MaxAttempts: -1}),
		"pools[0].max_attempts: 65536":                        pool(P{MaxAttempts: 65_536}),
		"pools[0].max_crashes: -1":                            pool(P{MaxCrashes: -1}),
		"pools[0].backoff_base: -1s":                          pool(P{BackoffBase: -time.Second}),
		"pools[0].backoff_cap: 1s":                            pool(P{BackoffBase: time.Minute, BackoffCap: time.Second}),
		"pools[0].soft_memory_limit: 2 bytes is above hard_memory_limit, 1": pool(P{SoftMemoryLimit: 2, HardMemoryLimit: 1}),
		`pools[0].limits: there is no rlimit "files"`:                       pool(P{Limits: supervisor.Limits{Rlimits: map[string]uint64{"files": 1}}}),
		"pools[0].limits: nice 20":                                          pool(P{Limits: supervisor.Limits{Nice: 20}}),
		`pools[1].name: "true" is also the name of pools[0]`: {Pools: []P{
			{Plugin: "/bin/true", Tasks: []string{"a"}}, {Plugin: "/usr/bin/true", Tasks: []string{"b"}}}},
		"pools[0].tasks: with several pools": {Pools: []P{{Plugin: "a"}, {Plugin: "b", Tasks: []string{"b"}}}},
		`pools[1].tasks: "x" is also served by pools[0]`: {Pools: []P{
			{Plugin: "a", Tasks: []string{"x"}}, {Plugin: "b", Tasks: []string{"x"}}}},
	} {
		_, err := supervisor.New(cfg)
		if want = "invalid config: " + want; !errors.Is(err, supervisor.ErrConfig) || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// New completes a copy: the caller's Config stays as it was.
func TestDefaultsAreAppliedToACopy(t *testing.T) {
	cfg := supervisor.Config{Pools: []supervisor.PoolConfig{{Plugin: "/bin/true"}}}
	if _, err := supervisor.New(cfg); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%+v", cfg.Pools[0]), fmt.Sprintf("%+v", supervisor.PoolConfig{Plugin: "/bin/true"}); got != want {
		t.Errorf("got %s", got)
	}
}
