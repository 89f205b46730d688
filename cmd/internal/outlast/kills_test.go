package outlast

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// workers of a server.
const workers = 2

// TestKills submits TASKS tasks over the API while their server is killed KILLS times, in the middle of
// submissions, of tasks and of its own start.
func TestKills(t *testing.T) {
	tasks, kills, seed := setting(t, "TASKS", 3000), setting(t, "KILLS", 4), seed(t)
	dir := t.TempDir()
	book, data := filepath.Join(dir, "book"), filepath.Join(dir, "data")
	d := newDaemon(t, "server", book, "--data-dir", data, "--workers", fmt.Sprint(workers), "--backoff-base", "200ms")
	d.start()
	l := newLedger()
	load := &load{ledger: l, kinds: kinds(), seed: seed, to: func(int) *daemon { return d }}
	submitted := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { submitted <- load.submit(ctx, tasks) }()
	slowest := killAtRandom(t, d, l, rand.New(rand.NewPCG(seed, 1000)), tasks, kills)
	if err := <-submitted; err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	results, err := l.results(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d acknowledged, %d calls without an answer, %d refused for their key; ready again after %v at most; the last results took %v",
		len(l.items), l.failed, l.refused, slowest, time.Since(began))
	d.stop()
	judged(t, l, results, book, kills)
	storedOnce(t, "-dir", data)
}

// killAtRandom kills and restarts a server, as submissions get on. It returns how long the slowest start took.
func killAtRandom(t *testing.T, d *daemon, l *ledger, rnd *rand.Rand, tasks, kills int) (slowest time.Duration) {
	at := make([]int, kills)
	for i := range at {
		at[i] = rnd.IntN(tasks)
	}
	slices.Sort(at)
	for _, n := range at {
		l.reach(n, 3*time.Second)
		pause(time.Duration(rnd.IntN(50_000)) * time.Microsecond)
		d.kill()
		slowest = max(slowest, d.start())
		l.peek(t.Context(), d, rnd, 20)
	}
	return slowest
}

// reach waits until so many tasks are acknowledged, but no longer than a time.
func (l *ledger) reach(n int, most time.Duration) {
	late := time.NewTimer(most)
	defer late.Stop()
	for l.size() < n {
		select {
		case <-l.grown:
		case <-late.C:
			return
		}
	}
}

// pause lets a time of the schedule pass.
func pause(d time.Duration) { <-time.After(d) }

// judged compares results and starts with what was promised. So many times somebody was struck who may
// have said of a task for each worker that it starts, without starting it.
func judged(t *testing.T, l *ledger, results map[string]*task, book string, strikes int) {
	t.Helper()
	starts, err := readBook(book)
	if err != nil {
		t.Fatal(err)
	}
	v := l.judge(results, starts)
	v.report(t)
	if most := strikes * workers; v.unstarted > most {
		t.Errorf("%d tasks died without having been started, more than %d", v.unstarted, most)
	}
}

// storedOnce looks whether no result was ever stored in place of another.
func storedOnce(t *testing.T, where ...string) {
	t.Helper()
	out, err := exec.Command(filepath.Join(bin, "node"), append(where, "-count", "brood_r")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var there, ever int
	if _, err := fmt.Sscan(string(out), &there, &ever); err != nil {
		t.Fatal(err)
	}
	if t.Logf("%d results, %d were ever stored", there, ever); there != ever {
		t.Errorf("%d results were stored, %d are there", ever, there)
	}
}
