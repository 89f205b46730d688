package outlast

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pairRig is two servers that share one NATS server; the first one's way to it can be cut.
type pairRig struct {
	way           *proxy
	first, second *daemon
	book, url     string
}

func newPair(t *testing.T) *pairRig {
	n := newCluster(t, 1)[0]
	r := &pairRig{way: newProxy(t, strings.TrimPrefix(n.url, "nats://")), book: filepath.Join(t.TempDir(), "book"), url: n.url}
	args := func(url string) []string {
		return []string{"--nats", url, "--workers", "1", "--lease", "1s", "--max-attempts", "2"}
	}
	r.first = newDaemon(t, "first", r.book, args("nats://"+r.way.listener.Addr().String())...)
	r.second = newDaemon(t, "second", r.book, args(n.url)...)
	return r
}

// begin has the first server start a task that takes a while, and starts the second one then.
func (r *pairRig) begin(t *testing.T, s submission) {
	t.Helper()
	r.first.start()
	var got receipts
	if err := r.first.call(t.Context(), "TaskService/SubmitBatch", batch{Tasks: []submission{s}}, &got); err != nil || got.Results[0].Error != nil {
		t.Fatalf("%+v, %v", got, err)
	}
	r.started(t, s.ID, 1)
	r.second.start()
}

// started waits until a task has been started so often.
func (r *pairRig) started(t *testing.T, id string, n int) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); pause(10 * time.Millisecond) { // a file tells nobody
		if starts, err := readBook(r.book); err == nil && len(starts[id]) >= n {
			return
		}
	}
	t.Fatalf("task %s was not started %d times", id, n)
}

// over checks that a task has one result, by a start that is in the book, and how often it was started.
func (r *pairRig) over(t *testing.T, id, state string, starts int) *task {
	t.Helper()
	got, err := waitFor(t.Context(), r.second, id)
	if err != nil {
		t.Fatal(err)
	}
	book, err := readBook(r.book)
	if err != nil {
		t.Fatal(err)
	}
	if got.State != state || len(book[id]) != starts {
		t.Errorf("task %s: %+v, starts %+v; want %s after %d", id, got, book[id], state, starts)
	}
	return got
}

// A server that loses the network keeps running what it has; another one gets its tasks when the lease
// is over, the first result counts, and the server says so.
func TestCutOff(t *testing.T) {
	r := newPair(t)
	r.begin(t, submission{ID: "x", Task: "tally", Payload: work{MS: 6000}})
	unreachable := r.first.process().says("the broker cannot be reached")
	r.way.set(true)
	r.started(t, "x", 2) // by the second one
	select {
	case <-unreachable:
	case <-time.After(30 * time.Second):
		t.Fatal("the server did not say that it cannot reach its broker")
	}
	first := r.over(t, "x", "TASK_STATE_COMPLETED", 2)
	if first.Result.Attempt != 2 {
		t.Errorf("the result is that of attempt %d", first.Result.Attempt)
	}
	r.way.set(false)
	r.end(t, first, 2)
}

// end waits until the first server has noticed what it lost and has no task any more, and checks that it
// has changed nothing.
func (r *pairRig) end(t *testing.T, before *task, starts int) {
	t.Helper()
	if err := r.first.process().await("leases were lost"); err != nil {
		t.Error(err)
	}
	r.first.stop() // when its task has ended
	if after := r.over(t, before.ID, before.State, starts); digest(before) != digest(after) {
		t.Errorf("the result was %+v and is %+v", before, after)
	}
	r.second.stop()
	storedOnce(t, "-nats", r.url)
}

// So does one that is stopped and goes on.
func TestStoppedForLongerThanItsLease(t *testing.T) {
	for name, o := range map[string]options{"three attempts": {MaxAttempts: 3}, "once": {AtMostOnce: true}} {
		t.Run(name, func(t *testing.T) {
			r := newPair(t)
			r.begin(t, submission{ID: "x", Task: "tally", Payload: work{MS: 3000}, Options: &o})
			p := r.first.process()
			p.signal(syscall.SIGSTOP)
			want, starts := "TASK_STATE_COMPLETED", 2
			if o.AtMostOnce {
				want, starts = "TASK_STATE_DEAD", 1
			}
			before := r.over(t, "x", want, starts)
			p.signal(syscall.SIGCONT)
			r.end(t, before, starts)
		})
	}
}
