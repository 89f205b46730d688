package supervisor_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
)

// Workers are replaced by name while tasks run: none is lost, none loses an attempt, and there are
// never fewer workers than before.
func TestRecycleUnderLoad(t *testing.T) {
	const n, size = 300, 3
	s := create(t, faulty(supervisor.PoolConfig{Workers: size}))
	events := s.Events(100_000)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	done, asked := 0, map[string]bool{}
	for r := range s.Map(t.Context(), naps(n), supervisor.MapOptions{Limit: 20}) {
		if completed(t, r).Started != 1 {
			t.Errorf("got %+v", r)
		}
		if done++; done%30 == 0 {
			ws := workers(s)
			w := ws[len(ws)-1] // the youngest: it was not asked before
			switch err := s.Recycle(w); {
			case err == nil:
				asked[w] = true
			case !errors.Is(err, supervisor.ErrNoWorkerNamed): // it has just ended
				t.Fatal(err)
			}
		}
	}
	if done != n || len(asked) < 2 {
		t.Fatalf("%d results of %d, %d workers recycled", done, n, len(asked))
	}
	s.Close()
	if c := measure(t, events, size); c.least < size || c.exits["request"] == 0 {
		t.Errorf("got %+v", c)
	}
}

func TestRecycleReplacesWarm(t *testing.T) {
	s := ready(t, faulty(supervisor.PoolConfig{Workers: 1}))
	events := s.Events(1000)
	old := s.Snapshot().Pools[0].Workers[0].Name
	for range 2 { // the second time it is on its way
		if err := s.Recycle(old); err != nil {
			t.Fatal(err)
		}
	}
	await(t, events, func(e event.WorkerReady) bool { return e.Worker != old })
	await(t, events, func(e event.WorkerDraining) bool { return e.Worker == old && e.Reason == "request" })
	await(t, events, func(e event.WorkerExited) bool {
		return e.Worker == old && e.Reason == "request" && e.Exit == "exit code 0"
	})
	completed(t, run(t, s, "ok", ""))
	if n := s.Snapshot().Pools[0].Restarts["request"]; n != 1 {
		t.Errorf("%d restarts", n)
	}
}

func TestRecycleOfNobody(t *testing.T) {
	s := create(t, faulty(supervisor.PoolConfig{Workers: 1}))
	if err := s.Recycle("faulty-1"); err != supervisor.ErrNotStarted {
		t.Errorf("before Start: %v", err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if err := s.Recycle("faulty-77"); !errors.Is(err, supervisor.ErrNoWorkerNamed) || !strings.Contains(err.Error(), `"faulty-77"`) {
		t.Errorf("got %v", err)
	}
	s.Close()
	if err := s.Recycle("faulty-1"); err != supervisor.ErrClosed {
		t.Errorf("after Close: %v", err)
	}
}

// The number of workers goes up and down while tasks run, and no task notices.
func TestScaleUnderLoad(t *testing.T) {
	const n = 2000
	s := complete(t, faulty(supervisor.PoolConfig{Workers: 2}))
	events := s.Events(10_000)
	sizes := []int{6, 1, 4, 2, 5, 1, 3}
	done := 0
	for r := range s.Map(t.Context(), count(n, "ok"), supervisor.MapOptions{Limit: 200}) {
		if completed(t, r).Started != 1 {
			t.Errorf("got %+v", r)
		}
		if done++; done%(n/len(sizes)) == 0 && len(sizes) > 0 {
			if err := s.Scale("faulty", sizes[0]); err != nil {
				t.Fatal(err)
			}
			sizes = sizes[1:]
		}
	}
	if done != n || len(sizes) != 0 {
		t.Fatalf("%d results of %d, %d sizes are left", done, n, len(sizes))
	}
	await(t, events, func(e event.WorkerExited) bool { return e.Reason == "scale_down" })
	if p := s.Snapshot().Pools[0]; p.Size != 3 {
		t.Errorf("got %+v", p)
	}
}

// All that were started with more workers leave, but as many as are wanted; the running one stays.
func TestScaleDownSparesTheBusy(t *testing.T) {
	s := complete(t, probe(supervisor.PoolConfig{Workers: 3}))
	events := s.Events(1000)
	h := submit(t, s, "hold", "")
	entered(t, events, h)
	busy := ""
	for _, w := range s.Snapshot().Pools[0].Workers {
		if w.Task == h.ID() {
			busy = w.Name
		}
	}
	if err := s.Scale("probe", 1); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		await(t, events, func(e event.WorkerExited) bool {
			if e.Worker == busy || e.Reason != "scale_down" {
				t.Errorf("got %v", e)
			}
			return true
		})
	}
	if err := s.Scale("probe", 2); err != nil {
		t.Fatal(err)
	}
	await(t, events, func(event.WorkerReady) bool { return true })
	completed(t, run(t, s, "log", "beside it"))
	h.Cancel()
}

// A worker that is drained for being too many finishes what it runs; what waits in it goes elsewhere.
func TestScaleDownDrains(t *testing.T) {
	s := complete(t, probe(supervisor.PoolConfig{Workers: 2}))
	events := s.Events(1000)
	held := []*supervisor.Handle{submit(t, s, "hold", ""), submit(t, s, "hold", "")}
	for range held {
		await(t, events, func(event.TaskProgress) bool { return true })
	}
	if err := s.Scale("probe", 1); err != nil {
		t.Fatal(err)
	}
	e := await(t, events, func(event.WorkerDraining) bool { return true })
	waiting := submit(t, s, "log", "")
	for _, w := range s.Snapshot().Pools[0].Workers {
		if w.Name == e.Worker && w.State != "draining" {
			t.Errorf("got %+v", w)
		}
		for _, h := range held {
			if w.Name != e.Worker && w.Task == h.ID() {
				h.Cancel() // the worker that stays is free
			}
		}
	}
	if r := completed(t, wait(t, waiting)); r.Started != 1 {
		t.Errorf("got %+v", r)
	}
	for _, h := range held {
		h.Cancel()
		if r := wait(t, h); r.Started != 1 {
			t.Errorf("got %+v", r)
		}
	}
	await(t, events, func(x event.WorkerExited) bool { return x.Worker == e.Worker && x.Reason == "scale_down" })
}

func TestScaleRefuses(t *testing.T) {
	s := ready(t, faulty(supervisor.PoolConfig{Workers: 1}))
	for n, want := range map[int]string{0: "pause the pool", -1: "workers: -1", 10_001: "workers: 10001 is not within 1 to 10000"} {
		if err := s.Scale("faulty", n); !errors.Is(err, supervisor.ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("%d: %v", n, err)
		}
	}
	err := s.Scale("fautly", 2)
	if !errors.Is(err, supervisor.ErrNoPoolNamed) || !strings.Contains(err.Error(), `"fautly"; the pools are: faulty`) {
		t.Errorf("got %v", err)
	}
	s.Close()
	if err := s.Scale("faulty", 2); err != supervisor.ErrClosed {
		t.Errorf("after Close: %v", err)
	}
}
