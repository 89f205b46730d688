package main

import (
	"context"
	"time"

	"github.com/brood-run/brood/cmd/internal/bench/limit"
)

const freshRow = "a fresh process for each task"

// life is what a worker costs.
func (l *lab) life() []group {
	return []group{
		{rows: []row{{"spawn to ready", nanos}}, entries: []entry{
			{"", ours, func(ctx context.Context) ([]float64, error) {
				return medianOf(l.starts, func() (time.Duration, error) { return l.echo(nil).SpawnToReady(ctx) })
			}},
			{bareSpawn, bound, func(ctx context.Context) ([]float64, error) {
				return medianOf(l.starts, func() (time.Duration, error) { return limit.FirstByte(ctx, l.bare()) })
			}},
			{"go-plugin", rival, l.goPluginSpawn},
			{"Python fork", rival, func(ctx context.Context) ([]float64, error) { return l.pythonSpawn(ctx, "fork") }},
			{"Python spawn", rival, func(ctx context.Context) ([]float64, error) { return l.pythonSpawn(ctx, "spawn") }},
		}},
		{rows: []row{{freshRow, perSecond}}, entries: []entry{
			{"", ours, l.fresh},
			{forkExec, bound, func(ctx context.Context) ([]float64, error) {
				rate, err := limit.SpawnRate(ctx, l.bare(), l.cores(), 2*l.span)
				return []float64{rate}, err
			}},
			{"Pool, maxtasksperchild=1", rival, func(ctx context.Context) ([]float64, error) {
				rate, err := l.python.Fresh(ctx, l.cores(), 2*l.span)
				return []float64{rate}, err
			}},
		}},
		{rows: []row{{"memory of an idle worker", bytesOf}}, entries: []entry{
			{"", ours, l.idleRSS},
			{"bare Go", bound, func(context.Context) ([]float64, error) { return l.bareRSS() }},
			{"go-plugin", rival, l.goPluginRSS},
			{"Python", rival, func(ctx context.Context) ([]float64, error) {
				n, err := l.python.RSS(ctx)
				return []float64{n}, err
			}},
		}},
	}
}

func (l *lab) pythonSpawn(ctx context.Context, how string) ([]float64, error) {
	took, err := l.python.Spawn(ctx, how)
	return []float64{float64(took)}, err
}

func (l *lab) fresh(ctx context.Context) ([]float64, error) {
	rig, err := l.echo(payload(64)).Fresh().Open(ctx, l.cores())
	if err != nil {
		return nil, err
	}
	defer rig.Close()
	if _, err := rig.Probe(ctx); err != nil {
		return nil, err
	}
	rate, sum, err := rig.Saturate(ctx, 2*l.span)
	if err == nil {
		err = sum.Err()
	}
	return []float64{rate}, err
}

func (l *lab) idleRSS(ctx context.Context) ([]float64, error) {
	rig, err := l.echo(nil).Open(ctx, 1)
	if err != nil {
		return nil, err
	}
	defer rig.Close()
	return []float64{float64(rig.IdleRSS())}, nil
}

func (l *lab) bareRSS() ([]float64, error) {
	p, err := limit.OpenPipes(l.bare(), 1)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return []float64{float64(p.RSS())}, nil
}
