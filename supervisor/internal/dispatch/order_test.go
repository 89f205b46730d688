package dispatch

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor/internal/policy"
	"github.com/brood-run/brood/supervisor/task"
)

func TestFirstInFirstOut(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := r.worker(0)
		var want, got []string
		for i := range 100 {
			want = append(want, fmt.Sprint(i))
		}
		r.submitAll(want...)
		for len(p.take()) > 0 || len(p.pipe) > 0 {
			id := p.pipe[0].TaskID
			got = append(got, id)
			p.complete(id)
		}
		if !slices.Equal(got, want) {
			t.Errorf("ran in the order %v", got)
		}
	})
}

func TestHigherPriorityGoesFirst(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		r.submit("low", task.Options{Priority: -1})
		r.submit("usual", task.Options{})
		r.submit("high", task.Options{Priority: 1})
		wantOrder(t, r.worker(0), "high", "usual", "low")
	})
}

// A task of one priority less goes first once it has waited a step longer.
func TestWaitingTasksAge(t *testing.T) {
	for _, waits := range []struct {
		lead time.Duration
		want []string
	}{
		{3*policy.PriorityStep - 1, []string{"high", "low"}},
		{3*policy.PriorityStep + 1, []string{"low", "high"}},
	} {
		bubble(t, settings(), func(t *testing.T, r *rig) {
			r.submitAll("low")
			r.advance(waits.lead)
			r.submit("high", task.Options{Priority: 3})
			wantOrder(t, r.worker(0), waits.want...)
		})
	}
}

// A task that comes back keeps its age: it goes before what was submitted after it.
func TestReturningTaskKeepsItsPlace(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		r.submitAll("a")
		p := r.worker(0)
		p.take()
		r.advance(time.Millisecond)
		r.submitAll("b", "c")
		p.answer("a", ipc.OutcomeError)
		r.advance(time.Second) // no backoff is longer
		r.state("a", task.StateQueued)
		wantOrder(t, p, "a", "b", "c")
	})
}

func wantOrder(t *testing.T, p *puppet, want ...string) {
	t.Helper()
	var got []string
	for range want {
		synctest.Wait()
		p.take()
		if len(p.pipe) == 0 {
			break
		}
		got = append(got, p.pipe[0].TaskID)
		p.complete(p.pipe[0].TaskID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("ran in the order %v, want %v", got, want)
	}
}
