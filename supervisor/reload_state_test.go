package supervisor_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
)

// Busy workers finish in their time. Who does not want to wait need not; the reload goes on.
func TestReloadWithALongTask(t *testing.T) {
	cfg := probe(supervisor.PoolConfig{Workers: 2})
	s := complete(t, cfg)
	events := s.Events(1000)
	h := submit(t, s, "hold", "")
	entered(t, events, h)
	cfg.Pools[0].Env = []string{"A=b"}
	ctx, cancel := context.WithCancelCause(t.Context())
	reloaded := make(chan error, 1)
	go func() { reloaded <- s.Reload(ctx, cfg.Pools) }()
	await(t, events, func(event.ReloadFinished) bool { return true })
	completed(t, run(t, s, "log", "beside it"))
	why := errors.New("no time")
	cancel(why)
	if err := <-reloaded; !errors.Is(err, why) || !strings.Contains(err.Error(), "goes on") {
		t.Errorf("got %v", err)
	}
	if err := s.Reload(t.Context(), cfg.Pools); err != nil { // nothing is left to do
		t.Errorf("again: %v", err)
	}
	cfg.Pools[0].Env = []string{"A=c"}
	go func() { reloaded <- s.Reload(t.Context(), cfg.Pools) }()
	await(t, events, func(event.ReloadFinished) bool { return true })
	h.Cancel()
	if r := wait(t, h); r.Started != 1 {
		t.Errorf("got %+v", r)
	}
	if err := <-reloaded; err != nil {
		t.Error(err)
	}
}

// With several slots a worker that drains for the sake of one long task holds up nothing but that
// many slots: here three, of which the two workers of two free ones are made one.
func TestReloadWithLongTasksInSeveralSlots(t *testing.T) {
	cfg := probe(supervisor.PoolConfig{Workers: 2, Slots: 2, Window: 2})
	s := complete(t, cfg)
	events := s.Events(1000)
	var held []*supervisor.Handle
	for range 3 { // in both workers
		held = append(held, submit(t, s, "hold", ""))
	}
	for range held {
		await(t, events, func(event.TaskProgress) bool { return true })
	}
	held[0].Cancel()
	if held[2].Cancel(); wait(t, held[2]).Started != 1 {
		t.Fatal("it was not started")
	}
	wait(t, held[0])
	last := submit(t, s, "hold", "")
	entered(t, events, last)
	cfg.Pools[0].Env = []string{"A=b"}
	reloaded := make(chan error, 1)
	go func() { reloaded <- s.Reload(t.Context(), cfg.Pools) }()
	await(t, events, func(event.ReloadFinished) bool { return true })
	completed(t, run(t, s, "log", "in a slot that is free"))
	held[1].Cancel()
	last.Cancel()
	if err := <-reloaded; err != nil {
		t.Error(err)
	}
}

// A pool whose workers do not come up, or hang while they do, is mended at once.
func TestReloadMendsADegradedPool(t *testing.T) {
	for _, how := range []string{"exit", "hang"} {
		t.Run(how, func(t *testing.T) {
			cfg := faulty(supervisor.PoolConfig{Workers: 3, Env: []string{"FAULTY_START=" + how}, StartTimeout: time.Hour})
			s := create(t, cfg)
			events := s.Events(10_000)
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			h := submit(t, s, "ok", "")
			if how == "exit" {
				await(t, events, func(event.PoolDegraded) bool { return true })
			} else {
				await(t, events, func(event.WorkerStarting) bool { return true })
			}
			pools := slices.Clone(cfg.Pools)
			pools[0].Env = nil
			if err := s.Reload(t.Context(), pools); err != nil {
				t.Fatal(err)
			}
			completed(t, wait(t, h))
			if err := s.WaitReady(t.Context()); err != nil {
				t.Error(err)
			}
			if how == "exit" {
				await(t, events, func(event.PoolRecovered) bool { return true })
			}
		})
	}
}

// Workers that were stopped for idleness do not keep a reload from finding out whether new ones start.
func TestReloadOfAnIdlePool(t *testing.T) {
	cfg, path := installed(t, supervisor.PoolConfig{Workers: 2, IdleTTL: 20 * time.Millisecond})
	s := create(t, cfg)
	events := s.Events(10_000)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		await(t, events, func(e event.WorkerExited) bool { return e.Reason == "idle" })
	}
	copyPlugin(t, path, "two")
	if err := s.Reload(t.Context(), cfg.Pools); err != nil {
		t.Fatal(err)
	}
	await(t, events, func(e event.WorkerExited) bool { return e.Reason == "idle" })
	pools := slices.Clone(cfg.Pools)
	pools[0].Env = []string{"FAULTY_START=exit"}
	if err := s.Reload(t.Context(), pools); !errors.Is(err, supervisor.ErrRolledBack) {
		t.Fatalf("got %v", err)
	}
	completed(t, run(t, s, "ok", ""))
}
