package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// Plan is what `brood bench` measures.
type Plan struct {
	Target   Target
	Workers  []int         // a row of throughput for each
	Duration time.Duration // of each row
	Rate     float64       // tasks a second to size a pool for; 0 means none
}

// How many starts are measured: as many of these as fit into the time of a row.
const leastSpawns, mostSpawns = 3, 100

// Run carries out the plan. A task that fails is counted in the report. If the very
// first does, nothing else is measured: figures of failures would mislead.
func (p Plan) Run(ctx context.Context) (*Report, error) {
	r := p.report()
	for _, phase := range []func(context.Context, *Report) error{p.alone, p.throughput, p.halfLoad, p.spawn, p.recycling} {
		if err := phase(ctx, r); err != nil {
			return nil, err
		}
		if r.Tally.done == 0 {
			break
		}
	}
	r.Tally = r.Tally.total()
	if p.Rate > 0 && len(r.Throughput) > 0 {
		// The smallest pool: the time in a worker is not stretched by its neighbours.
		least := slices.MinFunc(r.Throughput, func(a, b Throughput) int { return cmp.Compare(a.Workers, b.Workers) })
		s := Size(p.Rate, Occupancy(least.PerSecond, least.Workers, r.Slots), r.Slots, r.best().PerSecond)
		r.Sizing = &s
	}
	return r, nil
}

func (p Plan) report() *Report {
	return &Report{
		Plugin: p.Target.Pool.Plugin, Task: p.Target.Task, Payload: len(p.Target.Payload),
		Slots: max(1, p.Target.Pool.Slots), Machine: ThisMachine(), Duration: p.Duration,
	}
}

// with opens a rig, probes it, and lets measure use it if the probe went well.
func (p Plan) with(ctx context.Context, r *Report, workers int, measure func(*Rig) (Tally, error)) error {
	rig, err := p.Target.Open(ctx, workers)
	if err != nil {
		return fmt.Errorf("%d workers: %w", workers, err)
	}
	defer rig.Close()
	sum, err := rig.Probe(ctx)
	r.Tally.merge(sum)
	if err != nil || sum.done == 0 {
		return err
	}
	sum, err = measure(rig)
	r.Tally.merge(sum)
	return err
}

func (p Plan) alone(ctx context.Context, r *Report) error {
	return p.with(ctx, r, 1, func(rig *Rig) (sum Tally, err error) {
		r.IdleRSS = rig.IdleRSS()
		r.Idle, sum, err = rig.Alone(ctx, p.Duration)
		return sum, err
	})
}

func (p Plan) throughput(ctx context.Context, r *Report) error {
	for _, n := range p.Workers {
		err := p.with(ctx, r, n, func(rig *Rig) (Tally, error) {
			rate, sum, err := rig.Saturate(ctx, p.Duration)
			r.Throughput = append(r.Throughput, Throughput{Workers: n, PerSecond: rate})
			return sum, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (p Plan) halfLoad(ctx context.Context, r *Report) error {
	best := r.best()
	if best.PerSecond == 0 {
		return nil
	}
	return p.with(ctx, r, best.Workers, func(rig *Rig) (sum Tally, err error) {
		half := HalfLoad{Workers: best.Workers, PerSecond: best.PerSecond / 2}
		half.Latency, sum, err = rig.Paced(ctx, half.PerSecond, p.Duration)
		r.HalfLoad = &half
		return sum, err
	})
}

func (p Plan) spawn(ctx context.Context, r *Report) (err error) {
	r.Spawn, err = p.Target.Spawns(ctx, p.Duration)
	return err
}

func (p Plan) recycling(ctx context.Context, r *Report) error {
	fresh := p
	fresh.Target = p.Target.Fresh()
	workers := r.best().Workers
	return fresh.with(ctx, r, max(1, workers), func(rig *Rig) (Tally, error) {
		rate, sum, err := rig.Saturate(ctx, p.Duration)
		r.Recycling = &Throughput{Workers: max(1, workers), PerSecond: rate}
		return sum, err
	})
}
