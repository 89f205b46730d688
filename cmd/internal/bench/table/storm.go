package main

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

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
