package main

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/event"
	"github.com/brood-run/brood/supervisor/task"
)

const killedRow = "SIGKILL to its task running again"

// faults is how fast brood recovers. Peers that do not by themselves are measured with the
// least that their user has to do.
func (l *lab) faults() []group {
	return []group{
		{rows: []row{{killedRow + ", p50", nanos}, {killedRow + ", max", nanos}}, entries: []entry{
			{"", ours, l.killed},
			{"go-plugin, restarted", rival, l.goPluginKilled},
			{executor + ", rebuilt", rival, func(ctx context.Context) ([]float64, error) { return l.pythonKilled(ctx, "executor") }},
			{"Pool.apply_async", rival, func(ctx context.Context) ([]float64, error) { return l.pythonKilled(ctx, "pool") }},
		}},
		{rows: []row{{"crash storm, each 100th task kills", perSecond}}, entries: []entry{
			{"", ours, l.storm},
			{executor + ", rebuilt", rival, func(ctx context.Context) ([]float64, error) {
				rate, err := l.python.Storm(ctx, l.cores(), 2*l.span)
				return []float64{rate}, err
			}},
		}},
	}
}

func (l *lab) pythonKilled(ctx context.Context, how string) ([]float64, error) {
	var took []time.Duration
	for range l.kills {
		d, err := l.python.Killed(ctx, how)
		if err != nil {
			return nil, err
		}
		took = append(took, d)
	}
	return middleAndMost(took), nil
}

func middleAndMost(took []time.Duration) []float64 {
	slices.Sort(took)
	return []float64{float64(took[len(took)/2]), float64(took[len(took)-1])}
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
	return middleAndMost(took), nil
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
