package supervisor_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

// TestSoak runs a mixed load with every misbehaviour for as long as the variable SOAK says, and
// looks all the while whether the supervisor stays as large as it was after the first tenth.
func TestSoak(t *testing.T) {
	howLong, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil {
		t.Skip("takes minutes: SOAK=10m, or make soak")
	}
	adopting(t)
	s := ready(t, soaked())
	load := newSoak(t, s)
	began := time.Now()
	load.runFor(howLong / 10)
	before := load.measure()
	t.Logf("after %v: %v", time.Since(began).Round(time.Second), before)
	for range 9 {
		load.runFor(howLong / 10)
		now := load.measure()
		t.Logf("after %v: %v", time.Since(began).Round(time.Second), now)
		if now.exceeds(before) {
			t.Fatalf("it grew, from %v", before)
		}
	}
	if load.results != load.tasks {
		t.Errorf("%d results of %d tasks", load.results, load.tasks)
	}
	s.Close()
}

// soaked is one pool whose workers are recycled for every reason there is.
func soaked() supervisor.Config {
	cfg := faulty(supervisor.PoolConfig{
		Workers: 4, MaxTasksPerChild: 500, TTL: 5 * time.Second, MaxAttempts: 2,
		SoftMemoryLimit: 64 << 20, HardMemoryLimit: 128 << 20,
		SoftTimeout: 200 * time.Millisecond, HardTimeout: 400 * time.Millisecond, CancelGrace: 100 * time.Millisecond,
		Heartbeat: 50 * time.Millisecond, MissedHeartbeats: 10,
	})
	cfg.ReapOrphans = true
	return cfg
}

// soak is a load, repeatable but for the timing.
type soak struct {
	t              *testing.T
	s              *supervisor.Supervisor
	rnd            *rand.Rand
	tasks, results int
}

func newSoak(t *testing.T, s *supervisor.Supervisor) *soak {
	return &soak{t: t, s: s, rnd: rand.New(rand.NewPCG(1, 2))}
}

// misdeeds are the tasks that cost a worker, or nearly.
func misdeeds() []task.Task {
	return []task.Task{
		work("exit", ""), work("signal", ""), work("signal", `{"signal":"KILL"}`), work("panic", ""), work("hang", ""),
		work("sleep", `{"ms":10000}`), work("leak", `{"mib_per_s":4096}`), work("badframe", ""), work("stop", ""),
		work("flood", ""), work("grandchild", `{"setsid":true}`), work("grandchild", ""), work("fail", ""),
	}
}

// next is a good task, but for one in a hundred.
func (k *soak) next() task.Task {
	bad := misdeeds()
	x := work("ok", `"payload"`)
	if i := k.rnd.IntN(100 * len(bad)); i < len(bad) {
		x = bad[i]
	}
	k.tasks++
	x.ID = strconv.Itoa(k.tasks)
	return x
}

// runFor feeds tasks for a time and reads their results. A good one completes.
func (k *soak) runFor(d time.Duration) {
	over := time.Now().Add(d)
	in := func(yield func(task.Task, error) bool) {
		for time.Now().Before(over) && yield(k.next(), nil) {
		}
	}
	for r := range k.s.Map(k.t.Context(), in, supervisor.MapOptions{Limit: 200}) {
		k.results++
		if r.Task.Name == "ok" && r.Status != task.Completed {
			k.t.Errorf("a good task is %s: %v", r.Status, r.Err)
		}
	}
}

// size is what a supervisor must not have more and more of.
type size struct {
	tasks                             int
	files, goroutines, processes, rss int // rss in KiB
}

func (k *soak) measure() size {
	runtime.GC()
	return size{k.tasks, openFiles(k.t), runtime.NumGoroutine(), len(children(k.t, os.Getpid())), ownRSS(k.t)}
}

func (a size) String() string {
	return fmt.Sprintf("%d tasks, %d files, %d goroutines, %d processes, %d KiB", a.tasks, a.files, a.goroutines, a.processes, a.rss)
}

// exceeds says that there is more than chance explains: a worker or two on their way, and what the
// runtime has not given back.
func (a size) exceeds(b size) bool {
	const workers, each = 4, 12
	return a.files > b.files+workers*each || a.goroutines > b.goroutines+workers*each ||
		a.processes > b.processes+workers || a.rss > b.rss+b.rss/4+(8<<10)
}

func ownRSS(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(status, []byte("VmRSS:"))
	var kib int
	if _, err := fmt.Sscan(string(rest), &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}
