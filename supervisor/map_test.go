package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

func TestMapAnswersEachTaskOnce(t *testing.T) {
	s := start(t, echo(supervisor.PoolConfig{Workers: 2}))
	for _, ordered := range []bool{false, true} {
		for _, limit := range []int{0, 1, 7} {
			seen, next := map[string]bool{}, 0
			for r := range s.Map(t.Context(), count(1000, ""), supervisor.MapOptions{Ordered: ordered, Limit: limit}) {
				completed(t, r)
				if seen[r.Task.ID] {
					t.Fatalf("task %s answered twice", r.Task.ID)
				}
				seen[r.Task.ID] = true
				if ordered && r.Task.ID != fmt.Sprint(next) {
					t.Fatalf("task %s instead of %d", r.Task.ID, next)
				}
				next++
			}
			if len(seen) != 1000 {
				t.Errorf("ordered %v, limit %d: %d results", ordered, limit, len(seen))
			}
		}
	}
	if c := s.Snapshot(); c.Unread != 0 {
		t.Errorf("%d results count as unread", c.Unread)
	}
}

// A fast task overtakes a slow one, unless order is asked for.
func TestOnlyOrderedMapWaitsForASlowTask(t *testing.T) {
	s := ready(t, faulty(supervisor.PoolConfig{Workers: 2}))
	for ordered, want := range map[bool]string{false: "ok", true: "sleep"} {
		in := tasks(work("sleep", `{"ms":100}`), work("ok", ""))
		for r := range s.Map(t.Context(), in, supervisor.MapOptions{Ordered: ordered}) {
			if r.Task.Name != want {
				t.Errorf("ordered %v: first came %s", ordered, r.Task.Name)
			}
			break
		}
	}
}

func TestMapStreams(t *testing.T) {
	s := start(t, echo(supervisor.PoolConfig{Workers: 1}))
	read := 0
	in := func(yield func(task.Task, error) bool) {
		for ; yield(task.Task{}, nil); read++ { // without end
		}
	}
	results := 0
	for r := range s.Map(t.Context(), in, supervisor.MapOptions{Limit: 5}) {
		completed(t, r)
		if results++; results == 100 {
			break
		}
	}
	if read > 100+5 {
		t.Errorf("read %d tasks for %d results with a limit of 5", read, results)
	}
}

func TestMapReportsWhatItCouldNotRun(t *testing.T) {
	s := start(t, echo(supervisor.PoolConfig{Workers: 1}))
	in := func(yield func(task.Task, error) bool) {
		_ = yield(task.Task{ID: "line 1", Options: task.Options{Tag: 1}}, errors.New("not JSON")) &&
			yield(task.Task{ID: "line 2"}, fmt.Errorf("line 2: %w", &task.Error{Kind: task.KindDuplicate, Message: "seen"})) &&
			yield(task.Task{ID: "line 3", Options: task.Options{Priority: 5000}}, nil) &&
			yield(task.Task{ID: "line 4", Name: "nobody"}, nil) &&
			yield(task.Task{ID: "line 5"}, nil)
	}
	want := []struct {
		status task.Status
		kind   string
	}{
		{task.Rejected, task.KindInvalid}, {task.Rejected, task.KindDuplicate}, {task.Rejected, task.KindInvalid},
		{task.Rejected, task.KindUnknownTask}, {task.Completed, ""},
	}
	i := 0
	for r := range s.Map(t.Context(), in, supervisor.MapOptions{Ordered: true}) {
		kind := ""
		if r.Err != nil {
			kind = r.Err.Kind
		}
		if r.Status != want[i].status || kind != want[i].kind || r.Task.ID != fmt.Sprintf("line %d", i+1) {
			t.Errorf("%s: %s, %v; want %v", r.Task.ID, r.Status, r.Err, want[i])
		}
		if i == 0 && r.Task.Tag != 1 {
			t.Errorf("tag lost: %+v", r.Task)
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%d results", i)
	}
}

// Cancelling ends the input, cancels what has not started and lets the running finish.
func TestCancelledMap(t *testing.T) {
	for _, drain := range []bool{false, true} {
		t.Run(fmt.Sprintf("drain=%v", drain), func(t *testing.T) {
			s := ready(t, faulty(supervisor.PoolConfig{Workers: 1, Window: 1}))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			in := func(yield func(task.Task, error) bool) {
				for i := range 200 {
					name := "sleep"
					if i == 0 {
						name = "ok"
					}
					if !yield(work(name, `{"ms":50}`), nil) {
						return
					}
				}
			}
			by, results := map[task.Status]int{}, 0
			for r := range s.Map(ctx, in, supervisor.MapOptions{DrainInput: drain, Limit: 10}) {
				cancel()
				by[r.Status]++
				results++
			}
			if by[task.Completed] < 1 || by[task.Completed] > 3 || by[task.Completed]+by[task.Cancelled] != results {
				t.Errorf("got %v", by)
			}
			if drain && results != 200 || !drain && results > 20 {
				t.Errorf("%d results", results)
			}
		})
	}
}

// Breaking out of the loop also cancels what runs.
func TestBreakingOutOfMapCancelsTheRunning(t *testing.T) {
	s := ready(t, faulty(supervisor.PoolConfig{Workers: 2}))
	for range s.Map(t.Context(), tasks(work("ok", ""), work("sleep", `{"ms":60000}`), work("sleep", `{"ms":60000}`)), supervisor.MapOptions{}) {
		break
	}
	for s.Len() > 0 { // both are asked to return, and do
		completed(t, run(t, s, "ok", ""))
	}
}

// The limit in bytes bounds what is under way; one task of any size is let in.
func TestMapIsBoundedInBytes(t *testing.T) {
	s := ready(t, echo(supervisor.PoolConfig{Workers: 2}))
	const size = 1000
	var yielded atomic.Int64
	in := func(yield func(task.Task, error) bool) {
		for read := range int64(50) {
			payload := make([]byte, size)
			if read == 25 {
				payload = make([]byte, 100*size) // larger than the limit
			}
			if !yield(task.Task{Payload: payload}, nil) {
				return
			}
			if ahead := read - yielded.Load(); ahead > 3 {
				t.Errorf("%d tasks ahead", ahead)
			}
		}
	}
	for r := range s.Map(t.Context(), in, supervisor.MapOptions{LimitBytes: 2 * size}) {
		completed(t, r)
		yielded.Add(1)
	}
	if n := yielded.Load(); n != 50 {
		t.Errorf("%d results", n)
	}
}

func TestMapEndsWithTheSupervisor(t *testing.T) {
	s := ready(t, faulty(supervisor.PoolConfig{Workers: 1}))
	by := map[task.Status]int{}
	for r := range s.Map(t.Context(), count(100, "ok"), supervisor.MapOptions{Limit: 10}) {
		by[r.Status]++
		if by[task.Completed] == 5 && by[task.Cancelled] == 0 {
			s.Close()
		}
	}
	if by[task.Completed]+by[task.Cancelled] != 100 || by[task.Cancelled] < 80 {
		t.Errorf("got %v", by)
	}
	for r := range s.Map(t.Context(), count(1, "ok"), supervisor.MapOptions{}) {
		if r.Status != task.Rejected && r.Status != task.Cancelled {
			t.Errorf("after Close: %s", r.Status)
		}
	}
}
