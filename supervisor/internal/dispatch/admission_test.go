package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brood-run/brood/ipc"
	"github.com/brood-run/brood/supervisor/internal/worker"
	"github.com/brood-run/brood/supervisor/task"
)

func small(queue, results int) Config {
	cfg := settings()
	cfg.QueueSize, cfg.ResultLimit = queue, results
	return cfg
}

// submitting is a Submit on its way.
type submitting chan error

func (r *rig) submitLater(ctx context.Context, id string) submitting {
	j := r.job(id, task.Options{})
	c := make(submitting, 1)
	go func() { c <- r.d.Submit(ctx, j, time.Now()) }()
	synctest.Wait()
	return c
}

func (c submitting) waits(r *rig) {
	r.t.Helper()
	synctest.Wait()
	select {
	case err := <-c:
		r.t.Fatalf("did not wait: %v", err)
	default:
	}
}

func (c submitting) returns(r *rig, want error) {
	r.t.Helper()
	synctest.Wait()
	select {
	case err := <-c:
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			r.t.Fatalf("returned %v, want %v", err, want)
		}
	default:
		r.t.Fatalf("still waits, want %v", want)
	}
}

func TestFullQueueRefusesOrWaits(t *testing.T) {
	bubble(t, small(2, 100), func(t *testing.T, r *rig) {
		r.submitAll("a", "b")
		j := NewJob(task.Task{ID: "refused"}, r, true)
		if err := r.d.TrySubmit(j, time.Now()); err != ErrQueueFull {
			t.Errorf("got %v", err)
		}
		c, d := r.submitLater(t.Context(), "c"), r.submitLater(t.Context(), "d")
		c.waits(r)
		p := r.worker(0)
		p.take() // a runs: there is room for one
		c.returns(r, nil)
		d.waits(r)
		wantOrder(t, p, "a", "b")
		d.returns(r, nil)
		wantOrder(t, p, "c", "d")
	})
}

func TestSubmitGivesUpWithItsContext(t *testing.T) {
	bubble(t, small(1, 100), func(t *testing.T, r *rig) {
		r.submitAll("a")
		why := errors.New("no patience")
		ctx, cancel := context.WithCancelCause(t.Context())
		b, c := r.submitLater(ctx, "b"), r.submitLater(t.Context(), "c")
		delete(r.jobs, "b")
		cancel(why)
		b.returns(r, why)
		c.waits(r)
		wantOrder(t, r.worker(0), "a", "c")
		c.returns(r, nil)
	})
}

// One that gives up in the moment it is let in passes its place on.
func TestPlaceOfAnImpatientSubmitterIsNotLost(t *testing.T) {
	for range 50 {
		bubble(t, small(1, 100), func(t *testing.T, r *rig) {
			p := r.worker(0)
			r.submitAll("a")
			ctx, cancel := context.WithCancel(t.Context())
			b, c := r.submitLater(ctx, "b"), r.submitLater(t.Context(), "c")
			go cancel()
			p.take() // lets b in, at the same time
			if synctest.Wait(); <-b != nil {
				delete(r.jobs, "b")
			} else {
				c.waits(r)
				wantOrder(t, p, "a", "b")
			}
			c.returns(r, nil)
		})
	}
}

func TestWaitingForTheNextAttemptTakesRoom(t *testing.T) {
	bubble(t, small(1, 100), func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.submitAll("a")
		p.take()
		p.answer("a", ipc.OutcomeError)
		r.state("a", task.StateRetrying)
		b := r.submitLater(t.Context(), "b")
		b.waits(r)
		r.jobs["a"].Cancel()
		b.returns(r, nil)
	})
}

func TestUnreadResultsPushBack(t *testing.T) {
	bubble(t, small(100, 2), func(t *testing.T, r *rig) {
		p := r.worker(0)
		for i := range 2 {
			j := NewJob(task.Task{ID: fmt.Sprint(i)}, r, true)
			r.jobs[fmt.Sprint(i)] = j
			if err := r.d.TrySubmit(j, time.Now()); err != nil {
				t.Fatal(err)
			}
			p.take()
			p.complete(fmt.Sprint(i))
		}
		if c := r.d.Counts(); c.Unread != 2 {
			t.Errorf("%+v", c)
		}
		b := r.submitLater(t.Context(), "b")
		b.waits(r)
		r.jobs["0"].Read()
		b.returns(r, nil)
		r.jobs["0"].Read() // a second time counts for nothing
		if c := r.d.Counts(); c.Unread != 1 {
			t.Errorf("%+v", c)
		}
	})
}

// Who says in advance that he will not read a result holds up nobody.
func TestDiscardedResultsDoNotCount(t *testing.T) {
	bubble(t, small(100, 1), func(t *testing.T, r *rig) {
		p := r.worker(0)
		for i := range 10 {
			id := fmt.Sprint(i)
			j := NewJob(task.Task{ID: id}, r, true)
			r.jobs[id] = j
			if err := r.d.TrySubmit(j, time.Now()); err != nil {
				t.Fatal(err)
			}
			j.Read()
			p.take()
			p.complete(id)
		}
	})
}

func TestStop(t *testing.T) {
	bubble(t, small(4, 100), func(t *testing.T, r *rig) {
		p := r.warm()
		r.submitAll("runs", "fails", "piped")
		p.take()
		p.answer("runs", ipc.OutcomeError) // retrying
		r.submitAll("q1", "q2", "q3")
		late := r.submitLater(t.Context(), "late")
		late.waits(r)
		drained := r.d.Stop()
		late.returns(r, ErrClosed)
		delete(r.jobs, "late")
		for _, id := range []string{"runs", "q1", "q2", "q3"} {
			r.ended(id, task.Cancelled)
		}
		if err := r.d.Submit(t.Context(), NewJob(task.Task{}, r, true), time.Now()); err != ErrClosed {
			t.Errorf("Submit after Stop: %v", err)
		}
		if got := p.giveBack(); !slices.Equal(got, []string{"piped"}) {
			t.Errorf("gave back %v", got)
		}
		r.ended("piped", task.Cancelled)
		select {
		case <-drained:
			t.Error("drained while a task runs")
		default:
		}
		r.state("fails", task.StateRunning)
		r.advance(time.Hour)
		p.answer("fails", ipc.OutcomeError) // and is not tried again
		if res := r.ended("fails", task.Cancelled); res.Started != 1 || len(res.Attempts) != 1 {
			t.Errorf("fails: %+v", res)
		}
		select {
		case <-drained:
		default:
			t.Error("not drained")
		}
		if r.d.Stop() != drained {
			t.Error("a second Stop is another one")
		}
	})
}

func TestStopLetsTheRunningComplete(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.submitAll("a")
		p.take()
		r.d.Stop()
		p.complete("a")
		r.ended("a", task.Completed)
	})
}

// What was killed by the shutdown was cancelled; it did not crash.
func TestKilledByShutdownIsCancelled(t *testing.T) {
	bubble(t, settings(), func(t *testing.T, r *rig) {
		p := r.worker(0)
		r.submitAll("a")
		p.take()
		r.d.Stop()
		p.die(worker.ReasonShutdown, "a")
		res := r.ended("a", task.Cancelled)
		if len(res.Attempts) != 1 || res.Attempts[0].Outcome != task.OutcomeCancelled {
			t.Errorf("got %+v", res)
		}
	})
}
