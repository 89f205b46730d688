package main

import (
	"context"
	"slices"
	"time"

	"github.com/brood-run/brood/cmd/internal/bench/limit"
)

const idleRow = "idle round trip"

// trips are round trips of 64 bytes: one at a time, and at half of what two workers can do. The
// limit gets brood's load there, to be one; peers half of what they themselves can do.
func (l *lab) trips() []group {
	idle := group{
		rows: []row{{idleRow + ", p50", nanos}, {idleRow + ", p99", nanos}},
		entries: []entry{
			{"", ours, l.alone},
			{pipeLoop, bound, func(context.Context) ([]float64, error) { return l.pipeAlone() }},
			{grpcStream, rival, func(ctx context.Context) ([]float64, error) { return l.goPluginAlone(ctx, true) }},
			{grpcUnary, rival, func(ctx context.Context) ([]float64, error) { return l.goPluginAlone(ctx, false) }},
			{"Pool.apply", rival, func(ctx context.Context) ([]float64, error) { return l.pythonAlone(ctx, "pool") }},
			{executor, rival, func(ctx context.Context) ([]float64, error) { return l.pythonAlone(ctx, "executor") }},
		},
	}
	loaded := group{
		rows: []row{{"round trip at half load, p50", nanos}, {"round trip at half load, p99", nanos}},
		entries: []entry{
			{"", ours, l.halfLoad},
			{pipeLoops(2) + ", same load", bound, l.pipesHalfLoad},
			{grpcStream + ", half of its own", rival, l.goPluginHalfLoad},
		},
	}
	return []group{idle, loaded}
}

func (l *lab) alone(ctx context.Context) ([]float64, error) {
	rig, err := l.echo(payload(64)).Open(ctx, 1)
	if err != nil {
		return nil, err
	}
	defer rig.Close()
	took, sum, err := rig.Alone(ctx, l.span)
	if err == nil {
		err = sum.Err()
	}
	return []float64{float64(took.P50), float64(took.P99)}, err
}

func (l *lab) halfLoad(ctx context.Context) ([]float64, error) {
	rig, err := l.echo(payload(64)).Open(ctx, 2)
	if err != nil {
		return nil, err
	}
	defer rig.Close()
	rate, sum, err := rig.Saturate(ctx, l.span)
	if err == nil {
		err = sum.Err()
	}
	if err != nil {
		return nil, err
	}
	l.half = rate / 2
	took, sum, err := rig.Paced(ctx, l.half, l.span)
	if err == nil {
		err = sum.Err()
	}
	return []float64{float64(took.P50), float64(took.P99)}, err
}

func (l *lab) pipesHalfLoad(ctx context.Context) ([]float64, error) {
	p, err := limit.OpenPipes(l.bare(), 2)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	took, err := p.Paced(ctx, payload(64), l.half, l.span)
	return quantiles(took), err
}

func (l *lab) pipeAlone() ([]float64, error) {
	p, err := limit.OpenPipes(l.bare(), 1)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	took, err := p.Alone(payload(64), l.span)
	return quantiles(took), err
}

func (l *lab) pythonAlone(ctx context.Context, how string) ([]float64, error) {
	p50, p99, err := l.python.Alone(ctx, how, 64, l.span)
	return []float64{float64(p50), float64(p99)}, err
}

// quantiles are p50 and p99.
func quantiles(took []time.Duration) []float64 {
	if len(took) == 0 {
		return nil
	}
	slices.Sort(took)
	return []float64{float64(took[len(took)/2]), float64(took[len(took)*99/100])}
}
