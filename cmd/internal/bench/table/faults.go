package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"syscall"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

// faults is how fast brood recovers. Nobody else is measured: the pools of Python
// wait for ever or break for good when a worker is killed.
func (l *lab) faults() []group {
	return []group{
		{rows: []row{
			{"SIGKILL to its task running again, p50", nanos}, {"SIGKILL to its task running again, max", nanos},
		}, entries: []entry{{"", ours, l.killed}}},
		{rows: []row{{"crash storm, each 100th task kills its worker", perSecond}}, entries: []entry{{"", ours, l.storm}}},
	}
}

func (l *lab) faulty(workers int) (*supervisor.Supervisor, error) {
	s, err := supervisor.New(supervisor.Config{Pools: []supervisor.PoolConfig{{Plugin: l.plugin("faulty"), Workers: workers}}})
	if err != nil {
		return nil, err
	}
	return s, s.Start()
}

// killed kills the only worker in the middle of its task: a new one has to start.
func (l *lab) killed(ctx context.Context) ([]float64, error) {
	var took []time.Duration
	for range l.kills {
		d, err := l.killOne(ctx)
		if err != nil {
			return nil, err
		}
		took = append(took, d)
	}
	slices.Sort(took)
	return []float64{float64(took[len(took)/2]), float64(took[len(took)-1])}, nil
}

// settle lets the worker enter its handler, so that the kill costs an attempt.
const settle = 10 * time.Millisecond

// killOne has a supervisor of its own: many kills of one pool in a row would rightly
// be taken for a crash loop.
func (l *lab) killOne(ctx context.Context) (time.Duration, error) {
	s, err := l.faulty(1)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	events := s.Events(256)
	h, err := s.Submit(ctx, task.Task{Name: "sleep", Payload: []byte(`{"ms":60000}`)})
	if err != nil {
		return 0, err
	}
	first, err := awaitStart(ctx, events)
	if err != nil {
		return 0, err
	}
	pause(ctx, settle)
	began := time.Now()
	if err := syscall.Kill(first.PID, syscall.SIGKILL); err != nil {
		return 0, err
	}
	again, err := awaitStart(ctx, events)
	if err != nil {
		return 0, err
	}
	h.Discard()
	return again.Time.Sub(began), nil
}

func awaitStart(ctx context.Context, events *event.Subscription) (event.TaskStarted, error) {
	for {
		select {
		case e, open := <-events.C():
			if !open {
				return event.TaskStarted{}, errors.New("the supervisor ended")
			}
			if e, ok := e.(event.TaskStarted); ok {
				return e, nil
			}
		case <-ctx.Done():
			return event.TaskStarted{}, context.Cause(ctx)
		}
	}
}

// storm returns tasks a second, those that died among them.
func (l *lab) storm(ctx context.Context) ([]float64, error) {
	s, err := l.faulty(l.cores())
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := s.WaitReady(ctx); err != nil {
		return nil, err
	}
	began, n := time.Now(), 0
	for r := range s.Map(ctx, stormy(began.Add(2*l.span)), supervisor.MapOptions{}) {
		if want := expected(r.Task.Name); r.Status != want {
			return nil, fmt.Errorf("a task %s ended as %s: %v", r.Task.Name, r.Status, r.Err)
		}
		n++
	}
	return []float64{float64(n) / time.Since(began).Seconds()}, ctx.Err()
}

func expected(name string) task.Status {
	if name == "signal" {
		return task.Dead
	}
	return task.Completed
}

// stormy produces tasks until the time is over.
func stormy(end time.Time) iter.Seq2[task.Task, error] {
	good := task.Task{Name: "ok", Payload: payload(64)}
	bad := task.Task{Name: "signal", Payload: []byte(`{"signal":"KILL"}`), Options: task.Options{MaxAttempts: 1}}
	return func(yield func(task.Task, error) bool) {
		for n := 1; n%100 != 1 || time.Now().Before(end); n++ {
			t := good
			if n%100 == 0 {
				t = bad
			}
			if !yield(t, nil) {
				return
			}
		}
	}
}
