package main

import (
	"context"
	"fmt"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/task"
)

const fairRow = "short tasks behind a long one"

// fairness is how long many short tasks take that come behind a long one, with two workers. The
// ideal is that one worker does them all, a millisecond each, while the other is busy. They burn
// their millisecond: a process that sleeps so shortly wakes up late.
func (l *lab) fairness() []group {
	return []group{{
		rows: []row{{fmt.Sprintf("%s, %v", fairRow, l.long), nanos}},
		entries: []entry{
			{"", ours, l.fair},
			{ideal, bound, func(context.Context) ([]float64, error) {
				return []float64{float64(l.short) * float64(time.Millisecond)}, nil
			}},
			{"Pool.apply_async", rival, func(ctx context.Context) ([]float64, error) { return l.pythonFair(ctx, "pool") }},
			{executor, rival, func(ctx context.Context) ([]float64, error) { return l.pythonFair(ctx, "executor") }},
		},
	}}
}

func (l *lab) pythonFair(ctx context.Context, how string) ([]float64, error) {
	took, err := l.python.Fair(ctx, how, 2, l.short, l.long)
	return []float64{float64(took)}, err
}

// fair submits after so many tasks of no length that the supervisor has learned to send
// ahead: that is when the short ones could land behind the long one.
func (l *lab) fair(ctx context.Context) ([]float64, error) {
	s, err := l.faulty(2)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := runAll(ctx, s, "ok", 1000, nil); err != nil {
		return nil, err
	}
	began := time.Now()
	long, err := s.Submit(ctx, task.Task{Name: "sleep", Payload: fmt.Appendf(nil, `{"ms":%d}`, l.long.Milliseconds())})
	if err != nil {
		return nil, err
	}
	defer long.Discard()
	if err := runAll(ctx, s, "spin", l.short, []byte(`{"ms":1}`)); err != nil {
		return nil, err
	}
	return []float64{float64(time.Since(began))}, nil
}

// runAll submits n tasks and waits for all of them.
func runAll(ctx context.Context, s *supervisor.Supervisor, name string, n int, payload []byte) error {
	handles := make([]*supervisor.Handle, n)
	for i := range handles {
		var err error
		if handles[i], err = s.Submit(ctx, task.Task{Name: name, Payload: payload}); err != nil {
			return err
		}
	}
	for _, h := range handles {
		if r, err := h.Wait(ctx); err != nil || r.Status != task.Completed {
			return fmt.Errorf("a task %s ended as %s: %w", name, r.Status, err)
		}
	}
	return nil
}
