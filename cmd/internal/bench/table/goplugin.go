package main

import (
	"context"
	"slices"
	"time"

	"github.com/brood-run/brood/cmd/internal/bench"
	"github.com/brood-run/brood/cmd/internal/bench/limit"
	"github.com/brood-run/brood/cmd/internal/bench/peer"
)

// way is one of go-plugin's two transports.
type way func(*peer.GoPlugin, context.Context, []byte, int, time.Duration) (float64, error)

func (l *lab) goPlugin(ctx context.Context, n int, by way) (rates []float64, err error) {
	g, err := peer.OpenGoPlugin(ctx, l.self, n)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	for _, size := range sizes {
		rate, err := by(g, ctx, payload(size), bench.InPipes(n, size), l.span)
		if err != nil {
			return nil, err
		}
		rates = append(rates, rate)
	}
	return rates, nil
}

func (l *lab) goPluginAlone(ctx context.Context, stream bool) ([]float64, error) {
	g, err := peer.OpenGoPlugin(ctx, l.self, 1)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	byUnary, byStream, err := g.Alone(ctx, payload(64), l.span)
	if stream {
		return quantiles(byStream), err
	}
	return quantiles(byUnary), err
}

func (l *lab) goPluginHalfLoad(ctx context.Context) ([]float64, error) {
	g, err := peer.OpenGoPlugin(ctx, l.self, 2)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	rate, err := g.Stream(ctx, payload(64), bench.InPipes(2, 64), l.span)
	if err != nil {
		return nil, err
	}
	took, err := g.Paced(ctx, payload(64), rate/2, l.span)
	return quantiles(took), err
}

// goPluginKilled is what a program has to do itself: notice, start another, send again.
func (l *lab) goPluginKilled(ctx context.Context) ([]float64, error) {
	var took []time.Duration
	for range l.kills {
		d, err := peer.KillGoPlugin(ctx, l.self, payload(64))
		if err != nil {
			return nil, err
		}
		took = append(took, d)
	}
	return middleAndMost(took), nil
}

func (l *lab) goPluginSpawn(ctx context.Context) ([]float64, error) {
	return medianOf(l.starts, func() (time.Duration, error) {
		began := time.Now()
		g, err := peer.OpenGoPlugin(ctx, l.self, 1)
		if err != nil {
			return 0, err
		}
		defer g.Close()
		return time.Since(began), nil
	})
}

func (l *lab) goPluginRSS(ctx context.Context) ([]float64, error) {
	g, err := peer.OpenGoPlugin(ctx, l.self, 1)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	return []float64{float64(limit.RSS(g.PIDs()[0]))}, nil
}

// medianOf repeats one measurement.
func medianOf(n int, measure func() (time.Duration, error)) ([]float64, error) {
	var all []time.Duration
	for range n {
		took, err := measure()
		if err != nil {
			return nil, err
		}
		all = append(all, took)
	}
	slices.Sort(all)
	return []float64{float64(all[len(all)/2])}, nil
}
