package outlast

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"
)

// ledger is what a server has acknowledged.
type ledger struct {
	mu      sync.Mutex
	items   []*item
	by      map[string]*item
	early   map[string]string // results that were read before the end
	refused int               // unique keys that were taken
	failed  int               // calls without an answer
	grown   chan struct{}     // has a value, if it has room, when there is more
}

func newLedger() *ledger {
	return &ledger{by: map[string]*item{}, early: map[string]string{}, grown: make(chan struct{}, 1)}
}

func (l *ledger) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.items) + l.refused
}

func (l *ledger) enter(items []*item, refused int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, i := range items {
		l.by[i.id] = i
	}
	l.items = append(l.items, items...)
	l.refused += refused
	select {
	case l.grown <- struct{}{}:
	default:
	}
}

// submit gives items to a server until all are acknowledged or refused. Items whose ids the server makes
// are given up when there is no answer: nobody knows their ids.
func (l *ledger) submit(ctx context.Context, d func() *daemon, items []*item) error {
	for len(items) > 0 {
		server := d()
		if err := server.serving(ctx); err != nil {
			return err
		}
		request := batch{Tasks: make([]submission, len(items))}
		for n, i := range items {
			request.Tasks[n] = i.submission()
		}
		var got receipts
		err := server.call(ctx, "TaskService/SubmitBatch", request, &got)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			l.mu.Lock()
			l.failed++
			l.mu.Unlock()
			if items[0].id == "" {
				return nil
			}
			continue
		case len(got.Results) != len(items):
			return fmt.Errorf("%d tasks have %d answers", len(items), len(got.Results))
		}
		if items, err = l.sort(items, got.Results); err != nil {
			return err
		}
	}
	return nil
}

// sort enters what is acknowledged and returns what is to be submitted again.
func (l *ledger) sort(items []*item, receipts []receipt) (again []*item, err error) {
	var done []*item
	refused := 0
	for n, r := range receipts {
		i := items[n]
		switch {
		case r.Error == nil:
			i.id = r.ID
			done = append(done, i)
		case r.Error.Kind == "already_exists" && i.key != "":
			refused++
		case r.Error.Kind == "unavailable":
			if i.id != "" {
				again = append(again, i)
			}
		default:
			return nil, fmt.Errorf("%s task %q is refused: %+v", i.kind.name, i.id, *r.Error)
		}
	}
	l.enter(done, refused)
	return again, nil
}

// peek reads the results of some tasks, to be compared with those at the end.
func (l *ledger) peek(ctx context.Context, d *daemon, rnd *rand.Rand, n int) {
	for range n {
		l.mu.Lock()
		if len(l.items) == 0 {
			l.mu.Unlock()
			return
		}
		id := l.items[rnd.IntN(len(l.items))].id
		l.mu.Unlock()
		var got answer
		if d.call(ctx, "TaskService/Get", query{ID: id}, &got) != nil || !got.Task.over() {
			continue
		}
		l.mu.Lock()
		l.early[id] = digest(&got.Task)
		l.mu.Unlock()
	}
}

// digest is what of a result must never change.
func digest(t *task) string {
	text, _ := json.Marshal(t) // it came as JSON
	return string(text)
}

// results waits for the results of all tasks.
func (l *ledger) results(ctx context.Context, d *daemon) (map[string]*task, error) {
	var mu sync.Mutex
	all := make(map[string]*task, len(l.items))
	var group errgroup.Group
	group.SetLimit(16)
	for chunk := range slices.Chunk(l.items, 100) {
		group.Go(func() error {
			for _, i := range chunk {
				got, err := waitFor(ctx, d, i.id)
				if err != nil {
					return fmt.Errorf("%s %w", i.kind.name, err)
				}
				mu.Lock()
				all[i.id] = got
				mu.Unlock()
			}
			return nil
		})
	}
	return all, group.Wait()
}

// waitFor waits for one result, as long as some task or other gets one.
func waitFor(ctx context.Context, d *daemon, id string) (*task, error) {
	before := -1
	for {
		var got answer
		if err := d.call(ctx, "TaskService/Wait", query{ID: id, Timeout: "30s"}, &got); err != nil {
			return nil, fmt.Errorf("task %s: %w", id, err)
		}
		if got.Task.over() {
			return &got.Task, nil
		}
		var all pools
		if err := d.call(ctx, "AdminService/ListPools", struct{}{}, &all); err != nil {
			return nil, err
		}
		left := all.left()
		if left == before {
			return nil, fmt.Errorf("task %s has no result, and nothing happens: %+v; pools %+v", id, got.Task, all)
		}
		before = left
	}
}

// verdict is what became of the tasks of a run.
type verdict struct {
	completed, dead int
	unstarted       int // died of a start that never happened
	starts, again   int // of handlers; starts beyond the first
	faults          map[string][]string
}

func (v *verdict) fault(what string, format string, args ...any) {
	v.faults[what] = append(v.faults[what], fmt.Sprintf(format, args...))
}

// judge compares what was promised with what happened.
func (l *ledger) judge(results map[string]*task, starts map[string][]start) *verdict {
	v := &verdict{faults: map[string][]string{}}
	for _, i := range l.items {
		r := results[i.id]
		if r == nil {
			v.fault("lost", "%s", i.id)
			continue
		}
		if early, ok := l.early[i.id]; ok && early != digest(r) {
			v.fault("two results", "%s: %s, then %s", i.id, early, digest(r))
		}
		v.one(i, r, starts[i.id])
	}
	return v
}

// one looks at one task.
func (v *verdict) one(i *item, r *task, starts []start) {
	v.starts += len(starts)
	v.again += max(0, len(starts)-1)
	text := fmt.Sprintf("%s %s: %s, starts %+v", i.kind.name, i.id, digest(r), starts)
	if len(starts) > i.kind.most {
		v.fault("started too often", "%s", text)
	}
	attempts := map[int]bool{}
	for _, s := range starts {
		if attempts[s.Attempt] {
			v.fault("an attempt was started twice", "%s", text)
		}
		attempts[s.Attempt] = true
		if i.kind.delay > 0 && s.At < i.submitted.Add(i.kind.delay).UnixMilli() {
			v.fault("started too early", "submitted %v, %s", i.submitted, text)
		}
	}
	switch r.State {
	case "TASK_STATE_COMPLETED":
		v.completed++
		known := r.Result != nil && slices.ContainsFunc(starts, func(s start) bool { return s == *r.Result })
		if !known || i.kind.fails {
			v.fault("a result from nowhere", "%s", text)
		}
	case "TASK_STATE_DEAD":
		v.dead++
		if r.Starts < i.kind.most {
			v.fault("died early", "%s", text)
		}
		if len(starts) == 0 {
			v.unstarted++
		}
	default:
		v.fault("ended otherwise", "%s", text)
	}
}

// report tells a test what is wrong, a few of each sort.
func (v *verdict) report(t testing.TB) {
	t.Helper()
	t.Logf("%d completed, %d dead (%d of them of a start that did not come to pass); %d starts, %d of them again",
		v.completed, v.dead, v.unstarted, v.starts, v.again)
	for what, all := range v.faults {
		t.Errorf("%s: %d tasks\n  %s", what, len(all), strings.Join(all[:min(len(all), 5)], "\n  "))
	}
}

var errUnread = errors.New("the book of starts cannot be read")
