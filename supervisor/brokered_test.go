package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/memory"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

// keep is a broker that a test may use beside its supervisors.
func keep(t testing.TB, cfg memory.Config) *memory.Broker {
	t.Helper()
	b := memory.New(cfg)
	t.Cleanup(func() { b.Close() })
	return b
}

// kept is a Config whose tasks are in a broker.
func kept(cfg supervisor.Config, b broker.Broker) supervisor.Config {
	cfg.Broker = b
	return cfg
}

func TestBrokerKeepsTasksAndResults(t *testing.T) {
	b := keep(t, memory.Config{})
	s := ready(t, kept(faulty(supervisor.PoolConfig{}), b))
	const n = 500
	for i := range n {
		_, err := s.Submit(t.Context(), task.Task{
			ID: fmt.Sprint(i), Name: "ok", Payload: fmt.Appendf(nil, `{"n":%d}`, i),
			Options: task.Options{Meta: map[string]string{"k": "v"}, Tag: i},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	results, err := s.Collect(t.Context())
	if err != nil || len(results) != n {
		t.Fatalf("%d results, %v", len(results), err)
	}
	for i, r := range results {
		if completed(t, r); r.Task.ID != fmt.Sprint(i) || r.Task.Tag != i || r.Started != 1 || r.Task.Meta["k"] != "v" {
			t.Fatalf("result %d: %+v", i, r)
		}
	}
	if again, _ := s.Collect(t.Context()); len(again) != 0 {
		t.Errorf("%d results twice", len(again))
	}
	rec, err := b.Get(t.Context(), "7")
	if err != nil || rec.State != task.StateCompleted {
		t.Errorf("the broker says %v, %v", rec.State, err)
	}
}

func TestBrokerKeepsHistoryBetweenAttempts(t *testing.T) {
	s := ready(t, kept(faulty(supervisor.PoolConfig{}), keep(t, memory.Config{})))
	r := completed(t, run(t, s, "retry", `{"succeed_on":3}`))
	if r.Started != 3 || len(r.Attempts) != 2 || r.Attempts[0].N != 1 || r.Attempts[1].N != 2 {
		t.Errorf("%d starts, attempts %+v", r.Started, r.Attempts)
	}
}

func TestPoisonIsDeadLetteredAcrossLeases(t *testing.T) {
	b := keep(t, memory.Config{})
	s := ready(t, kept(faulty(supervisor.PoolConfig{MaxAttempts: 9}), b))
	r := run(t, s, "signal", "")
	if r.Status != task.Dead || r.Started != 2 || len(r.Attempts) != 2 || r.Attempts[1].Signal != "SIGSEGV" {
		t.Fatalf("%+v", r)
	}
	letter, err := b.DeadLetter(t.Context(), r.Task.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, letter.Result); diff != "" {
		t.Errorf("the dead letter has another result: %s", diff)
	}
}

// What a supervisor has not finished when its grace is over goes back, and costs nothing.
func TestStopReturnsTasksToTheBroker(t *testing.T) {
	b := keep(t, memory.Config{})
	cfg := kept(probe(supervisor.PoolConfig{Workers: 1, MaxAttempts: 1}), b)
	s := ready(t, cfg)
	events := s.Events(100)
	held := submit(t, s, "hold", "")
	waits := submit(t, s, "hold", "")
	entered(t, events, held)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = s.Stop(ctx)
	for _, h := range []*supervisor.Handle{held, waits} {
		rec, err := b.Get(t.Context(), h.ID())
		if err != nil || rec.State != task.StateQueued || rec.Message.History.Starts != 0 {
			t.Errorf("after the stop: %v, %d starts, %v; want it queued as new", rec.State, rec.Message.History.Starts, err)
		}
	}

	next := create(t, cfg)
	events = next.Events(100) // before there is anything to miss
	if err := next.Start(); err != nil {
		t.Fatal(err)
	}
	entered(t, events, held)
}

func TestCancelReachesTheHolder(t *testing.T) {
	b := keep(t, memory.Config{})
	s := ready(t, kept(probe(supervisor.PoolConfig{Workers: 1}), b))
	events := s.Events(100)
	runs, waits := submit(t, s, "hold", ""), submit(t, s, "hold", "")
	entered(t, events, runs)
	waits.Cancel()
	runs.Cancel()
	for _, h := range []*supervisor.Handle{runs, waits} {
		if r := wait(t, h); r.Status != task.Cancelled {
			t.Errorf("%s: %+v", r.Status, r.Err)
		}
	}
}

func TestDrainReturnsWhatHasNotStarted(t *testing.T) {
	b := keep(t, memory.Config{})
	s := ready(t, kept(probe(supervisor.PoolConfig{Workers: 1}), b))
	events := s.Events(100)
	runs := submit(t, s, "hold", "")
	waits := submit(t, s, "log", `"hello"`)
	entered(t, events, runs)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Drain(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("Drain with a task that runs: %v", err)
	}
	if !s.Draining() {
		t.Error("it does not say that it drains")
	}
	runs.Cancel()
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, err := b.Counts(t.Context(), "probe"); err != nil || c.Queued != 1 || c.Leased != 0 {
		t.Errorf("drained: %+v, %v", c, err)
	}
	s.Undrain()
	completed(t, wait(t, waits))
}

// A supervisor that vanished may have started what it held: nobody knows.
func TestVanishedHolderCostsAnAttemptAtMost(t *testing.T) {
	b := keep(t, memory.Config{LeaseTime: 50 * time.Millisecond})
	for id, o := range map[string]task.Options{
		"once": {AtMostOnce: true}, "one": {MaxAttempts: 1}, "more": {}, "begun once": {AtMostOnce: true}, "begun": {MaxAttempts: 1},
	} {
		m := broker.Message{Task: task.Task{ID: id, Name: "ok", Options: o}, Pool: "faulty"}
		if errs := b.Enqueue(t.Context(), []*broker.Message{&m}); errs != nil {
			t.Fatal(errs[0])
		}
	}
	leases, err := b.Lease(t.Context(), "faulty", 5)
	if err != nil || len(leases) != 5 {
		t.Fatalf("%d leases, %v", len(leases), err)
	}
	for _, l := range leases {
		if strings.HasPrefix(l.Task.ID, "begun") {
			if err := b.Begin(t.Context(), l); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Nobody extends them.
	ready(t, kept(faulty(supervisor.PoolConfig{}), b))
	for id, want := range map[string]task.Status{
		"once": task.Completed, "one": task.Completed, "more": task.Completed, "begun once": task.Dead, "begun": task.Dead,
	} {
		results := make(chan task.Result, 1)
		stop, err := b.OnResult(t.Context(), id, func(r task.Result) { results <- r })
		if err != nil {
			t.Fatal(err)
		}
		r := <-results
		stop()
		if r.Status != want {
			t.Errorf("%s: %s (%v), want %s", id, r.Status, r.Err, want)
		}
		if id == "more" && (r.Started != 2 || len(r.Attempts) != 1 || r.Attempts[0].Outcome != task.OutcomeCrashed) {
			t.Errorf("%s: %d starts, attempts %+v", id, r.Started, r.Attempts)
		}
	}
}

func TestLongTaskKeepsItsLease(t *testing.T) {
	b := keep(t, memory.Config{LeaseTime: 100 * time.Millisecond})
	s := ready(t, kept(faulty(supervisor.PoolConfig{}), b))
	if r := completed(t, run(t, s, "sleep", `{"ms":500}`)); r.Started != 1 || len(r.Attempts) != 0 {
		t.Errorf("%d starts, attempts %+v; want one", r.Started, r.Attempts)
	}
}

func TestTwoSupervisorsShareABroker(t *testing.T) {
	b := keep(t, memory.Config{})
	one := ready(t, kept(faulty(supervisor.PoolConfig{}), b))
	two := ready(t, kept(faulty(supervisor.PoolConfig{}), b))
	defer two.Close() // before anybody looks for what is left
	defer one.Close()
	workers := map[string]bool{}
	heard := []*event.Subscription{one.Events(10_000), two.Events(10_000)}
	for range 40 {
		submit(t, one, "sleep", `{"ms":20}`)
	}
	results, err := one.Collect(t.Context())
	if err != nil || len(results) != 40 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	for i, events := range heard {
		await(t, events, func(e event.TaskFinished) bool { workers[fmt.Sprint(i)] = true; return true })
	}
	if len(workers) != 2 {
		t.Errorf("only %v worked", workers)
	}
}

func TestEnqueueSaysWhatIsWrongWithEach(t *testing.T) {
	b := keep(t, memory.Config{QueueSize: 2})
	s := create(t, kept(faulty(supervisor.PoolConfig{}), b))
	if errs := s.Enqueue(t.Context(), []*broker.Message{{Task: work("ok", "")}}); !errors.Is(errs[0], supervisor.ErrNotStarted) {
		t.Errorf("before Start: %v", errs[0])
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if err := b.Pause(t.Context(), "faulty", true); err != nil {
		t.Fatal(err)
	}
	errs := s.Enqueue(t.Context(), []*broker.Message{
		{Task: task.Task{ID: "a", Name: "ok"}},
		{Task: task.Task{ID: "a", Name: "ok"}},
		{Task: task.Task{Name: "ok", Options: task.Options{Priority: 5000}}},
		{Task: work("ok", ""), ConcurrencyLimit: 3},
		{Task: work("ok", "")},
		{Task: work("ok", "")},
	})
	for i, want := range []error{nil, broker.ErrDuplicate, task.ErrInvalid, task.ErrInvalid, nil, broker.ErrFull} {
		if !errors.Is(errs[i], want) {
			t.Errorf("message %d: %v, want %v", i, errs[i], want)
		}
	}
	s.Close()
	cfg := kept(faulty(supervisor.PoolConfig{Tasks: []string{"ok"}}), keep(t, memory.Config{}))
	picky := ready(t, cfg)
	nameless := &broker.Message{Task: work("", "")}
	errs = picky.Enqueue(t.Context(), []*broker.Message{nameless, {Task: work("okay", "")}})
	if errs[0] != nil || nameless.Task.Name != "ok" || !errors.Is(errs[1], supervisor.ErrNoPool) || !strings.Contains(errs[1].Error(), "serves: ok") {
		t.Errorf("a pool that serves ok: %v, name %q", errs, nameless.Task.Name)
	}
	picky.Close()
	bare := ready(t, faulty(supervisor.PoolConfig{}))
	if errs := bare.Enqueue(t.Context(), []*broker.Message{{Task: work("ok", "")}}); !errors.Is(errs[0], supervisor.ErrNoBroker) {
		t.Errorf("without a broker: %v", errs[0])
	}
}

// A supervisor whose plugin does not start leaves the tasks to others.
func TestWhoHasNoWorkersHoldsNoTasks(t *testing.T) {
	b := keep(t, memory.Config{LeaseTime: time.Hour})
	cfg := kept(supervisor.Config{Pools: []supervisor.PoolConfig{{Name: "faulty", Plugin: "/bin/false"}}}, b)
	broken := create(t, cfg)
	defer broken.Close()
	events := broken.Events(1000)
	if err := broken.Start(); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		submit(t, broken, "ok", "")
	}
	await(t, events, func(event.PoolDegraded) bool { return true })
	sound := ready(t, kept(faulty(supervisor.PoolConfig{}), b))
	defer sound.Close()
	results, err := broken.Collect(t.Context())
	if err != nil || len(results) != 5 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	for _, r := range results {
		if completed(t, r); r.Started != 1 {
			t.Errorf("%d starts", r.Started)
		}
	}
}
