package supervisor_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

// installed is a Config whose plugin has a path of its own, where another can be put.
func installed(t testing.TB, p supervisor.PoolConfig) (cfg supervisor.Config, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "plugin")
	copyPlugin(t, path, "")
	cfg = faulty(p)
	cfg.Pools[0].Plugin = path
	return cfg, path
}

// complete starts a supervisor and waits until all workers of its first pool are ready.
func complete(t testing.TB, cfg supervisor.Config) *supervisor.Supervisor {
	t.Helper()
	s := create(t, cfg)
	events := s.Events(1000)
	defer events.Close()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	for range cfg.Pools[0].Workers {
		await(t, events, func(event.WorkerReady) bool { return true })
	}
	return s
}

// workers names those of the first pool.
func workers(s *supervisor.Supervisor) []string {
	var names []string
	for _, w := range s.Snapshot().Pools[0].Workers {
		names = append(names, w.Name)
	}
	return names
}

// naps yields n tasks of a few milliseconds.
func naps(n int) func(func(task.Task, error) bool) {
	return func(yield func(task.Task, error) bool) {
		for i := range n {
			t := task.Task{ID: fmt.Sprint(i), Name: "sleep", Payload: fmt.Appendf(nil, `{"ms":%d}`, 1+i%4)}
			if !yield(t, nil) {
				return
			}
		}
	}
}

// floor is how many workers there must be at any time: while one is replaced, another may be worn out before its
// successor has come up, if the machine has other things to do.
func floor(p supervisor.PoolConfig) int {
	if p.MaxTasksPerChild > 0 {
		return p.Workers - 2
	}
	return p.Workers
}

// Another binary, again and again, while the pool works: no task fails or loses an attempt, and
// there are never fewer workers than there should be, nor more than one besides and those that leave.
func TestReloadUnderLoad(t *testing.T) {
	const n, size, rolls = 1200, 3, 4
	for name, p := range map[string]supervisor.PoolConfig{
		"plain":         {},
		"recycling":     {MaxTasksPerChild: 80},
		"several slots": {Slots: 3},
	} {
		t.Run(name, func(t *testing.T) {
			p.Workers = size
			cfg, path := installed(t, p)
			s := create(t, cfg)
			events := s.Events(1_000_000)
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			done, reloaded, under := 0, make(chan error, 1), 0
			for r := range s.Map(t.Context(), naps(n), supervisor.MapOptions{Limit: 60}) {
				if completed(t, r).Started != 1 {
					t.Errorf("got %+v", r)
				}
				if done++; done%(n/(rolls+1)) == 0 && under < rolls {
					if under > 0 {
						if err := <-reloaded; err != nil {
							t.Fatal(err)
						}
					}
					under++
					copyPlugin(t, path, fmt.Sprint("version ", done))
					go func() { reloaded <- s.Reload(t.Context(), cfg.Pools) }()
				}
			}
			if err := <-reloaded; err != nil {
				t.Fatal(err)
			}
			if done != n || under != rolls {
				t.Fatalf("%d results of %d, %d reloads", done, n, under)
			}
			s.Close()
			c := measure(t, events, size)
			if c.least < floor(p) {
				t.Errorf("only %d workers at times", c.least)
			}
			if name == "plain" && (c.exits["reload"] != rolls*size || c.started != (rolls+1)*size) {
				t.Errorf("got %+v", c)
			}
		})
	}
}

// What Reload changes is in force when it returns, whatever it is.
func TestReloadPutsSettingsInForce(t *testing.T) {
	cfg := faulty(supervisor.PoolConfig{Workers: 1})
	cfg.Pools[0].Name, cfg.Pools[0].Plugin = "inmate", plugin("inmate")
	s := complete(t, cfg)
	next := slices.Clone(cfg.Pools)
	next[0].Env, next[0].Workers, next[0].HardTimeout, next[0].MaxAttempts = []string{"GENERATION=two"}, 2, 50*time.Millisecond, 1
	if err := s.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if env := string(completed(t, run(t, s, "env", "")).Payload); !strings.Contains(env, "GENERATION=two") {
		t.Errorf("got %s", env)
	}
	if r := run(t, s, "spin", ""); r.Status != task.Dead || r.Started != 1 || r.Attempts[0].Outcome != task.OutcomeTimeout {
		t.Errorf("got %+v", r)
	}
	if n := s.Snapshot().Pools[0].Size; n != 2 {
		t.Errorf("to have %d workers", n)
	}
	next = slices.Clone(next)
	next[0].Plugin = plugin("faulty") // it serves others
	next[0].Env = nil
	if err := s.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	completed(t, run(t, s, "ok", ""))
	if r := run(t, s, "env", ""); r.Status != task.Rejected {
		t.Errorf("got %+v", r)
	}
	if p := s.Snapshot().Pools[0]; p.Plugin != plugin("faulty") || p.Name != "inmate" {
		t.Errorf("got %+v", p)
	}
}

// A reload has fewer workers, or more.
func TestReloadChangesTheNumber(t *testing.T) {
	cfg, path := installed(t, supervisor.PoolConfig{Workers: 4})
	s := complete(t, cfg)
	for i, n := range []int{1, 5, 2} {
		copyPlugin(t, path, fmt.Sprint(i))
		cfg.Pools[0].Workers = n
		if err := s.Reload(t.Context(), cfg.Pools); err != nil {
			t.Fatal(err)
		}
		var all []*supervisor.Handle
		for range 20 {
			all = append(all, submit(t, s, "sleep", `{"ms":5}`))
		}
		for _, h := range all {
			completed(t, wait(t, h))
		}
		if p := s.Snapshot().Pools[0]; p.Size != n || len(p.Workers) > n {
			t.Errorf("to have %d workers: %+v", n, p)
		}
	}
}

// Nothing is done for a pool of which nothing has changed, and no more than needed for others.
func TestReloadOfNothing(t *testing.T) {
	cfg, path := installed(t, supervisor.PoolConfig{Workers: 2, MaxAttempts: 5})
	s := complete(t, cfg)
	completed(t, run(t, s, "ok", ""))
	before := workers(s)
	same := func() {
		t.Helper()
		if err := s.Reload(t.Context(), cfg.Pools); err != nil {
			t.Fatal(err)
		}
		if now := workers(s); !slices.Equal(now, before) {
			t.Errorf("workers were %v, are %v", before, now)
		}
	}
	same()
	cfg.Pools[0].MaxAttempts = 2
	same()
	if r := run(t, s, "fail", ""); r.Started != 2 {
		t.Errorf("got %+v", r)
	}
	if err := s.Scale("plugin", 1); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(t.Context(), cfg.Pools); err != nil {
		t.Fatal(err)
	}
	if p := s.Snapshot().Pools[0]; p.Size != 1 {
		t.Errorf("a reload with as many workers as before undid Scale: %+v", p)
	}
	cfg.Pools[0].Workers = 3
	if err := s.Reload(t.Context(), cfg.Pools); err != nil {
		t.Fatal(err)
	}
	if p := s.Snapshot().Pools[0]; p.Size != 3 || !slices.Contains(workers(s), before[0]) && !slices.Contains(workers(s), before[1]) {
		t.Errorf("got %+v", p)
	}
	copyPlugin(t, path, "") // another file of the same content
	if err := s.Reload(t.Context(), cfg.Pools); err != nil {
		t.Fatal(err)
	}
	for _, w := range workers(s) {
		if slices.Contains(before, w) {
			t.Errorf("%s is left", w)
		}
	}
}

// All or nothing: what is wrong with any pool keeps all from being touched.
func TestReloadRefuses(t *testing.T) {
	type P = supervisor.PoolConfig
	pools := []P{
		{Name: "a", Plugin: plugin("faulty"), Workers: 1, Tasks: []string{"ok", "fail"}},
		{Name: "b", Plugin: plugin("echo"), Workers: 1, Tasks: []string{"echo"}},
	}
	s := ready(t, supervisor.Config{Pools: pools})
	before := s.Snapshot()
	for want, change := range map[string]func(ps []P) []P{
		"pools[1].workers: -1":                          func(ps []P) []P { ps[1].Workers = -1; return ps },
		"pools[1].isolation: it cannot change from":     func(ps []P) []P { ps[1].Isolation = supervisor.IsolationPIDNS; return ps },
		"pools[1].name: a reload cannot add a pool":     func(ps []P) []P { ps[1].Name = "c"; return ps },
		"cannot remove one: 1 are given, there are 2":   func(ps []P) []P { return ps[:1] },
		"pools: at least one":                           func(ps []P) []P { return nil },
		`"ok" is also served by pools[0]`:               func(ps []P) []P { ps[1].Tasks = []string{"ok"}; return ps },
		"pools[1].limits.cpu: cpu_limit is kept by a c": func(ps []P) []P { ps[1].Limits.CPU = 1; return ps },
	} {
		ps := slices.Clone(pools)
		ps[0].Env = []string{"A=b"} // which would be a reason to replace workers
		if err := s.Reload(t.Context(), change(ps)); !errors.Is(err, supervisor.ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	after := s.Snapshot()
	for i, p := range before.Pools {
		if now := after.Pools[i]; len(now.Workers) != 1 || now.Workers[0].Name != p.Workers[0].Name || len(now.Restarts) != 0 {
			t.Errorf("pool %s was touched: %+v", p.Name, now)
		}
	}
}

// Tasks go to another pool once the reload is over, in any order of the pools.
func TestReloadRoutesTasksAnew(t *testing.T) {
	type P = supervisor.PoolConfig
	s := ready(t, supervisor.Config{Pools: []P{
		{Name: "a", Plugin: plugin("faulty"), Workers: 1, Tasks: []string{"ok", "pid"}},
		{Name: "b", Plugin: plugin("faulty"), Workers: 1, Tasks: []string{"fail"}},
	}})
	was := pidOf(t, run(t, s, "pid", ""))
	if err := s.Reload(t.Context(), []P{
		{Name: "b", Plugin: plugin("faulty"), Workers: 1, Tasks: []string{"pid"}},
		{Name: "a", Plugin: plugin("faulty"), Workers: 1, Tasks: []string{"ok"}},
	}); err != nil {
		t.Fatal(err)
	}
	if now := pidOf(t, run(t, s, "pid", "")); now == was {
		t.Error("it runs where it did")
	}
	if _, err := s.Submit(t.Context(), work("fail", "")); !errors.Is(err, supervisor.ErrNoPool) {
		t.Errorf("got %v", err)
	}
}

// Reloads at the same time come one after the other, and the last one counts.
func TestReloadsAtTheSameTime(t *testing.T) {
	cfg := faulty(supervisor.PoolConfig{Workers: 2})
	s := complete(t, cfg)
	errs := make(chan error)
	for i := range 5 {
		pools := slices.Clone(cfg.Pools)
		pools[0].Env = []string{fmt.Sprint("N=", i)}
		go func() { errs <- s.Reload(t.Context(), pools) }()
	}
	for range 5 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	completed(t, run(t, s, "ok", ""))
	if n := s.Snapshot().Pools[0].Restarts["reload"]; n != 10 {
		t.Errorf("%d workers were replaced", n)
	}
}

func TestReloadAndStop(t *testing.T) {
	cfg, path := installed(t, supervisor.PoolConfig{Workers: 4})
	s := create(t, cfg)
	if err := s.Reload(t.Context(), cfg.Pools); err != supervisor.ErrNotStarted {
		t.Errorf("before Start: %v", err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	events := s.Events(10_000)
	cfg.Pools[0].Env = []string{"FAULTY_START=slow"}
	copyPlugin(t, path, "slow")
	reloaded := make(chan error, 1)
	go func() { reloaded <- s.Reload(t.Context(), cfg.Pools) }()
	await(t, events, func(event.ReloadStarted) bool { return true })
	s.Close()
	if err := <-reloaded; !errors.Is(err, supervisor.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := s.Reload(t.Context(), cfg.Pools); err != supervisor.ErrClosed {
		t.Errorf("after Close: %v", err)
	}
}
