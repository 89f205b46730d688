package main

import (
	"context"
	"fmt"
	"math"

	"github.com/brood-run/brood/cmd/internal/bench"
	"github.com/brood-run/brood/cmd/internal/bench/limit"
	"github.com/brood-run/brood/cmd/internal/bench/peer"
)

// sizes of payloads, in bytes.
var sizes = [...]int{64, 4 << 10, 1 << 20}

// counts of workers.
var counts = [...]int{1, 2, 4, 16, 64, 256}

// throughput is tasks a second through Submit and its result, one group for each
// number of workers: what is started for it serves all sizes.
func (l *lab) throughput() []group {
	var groups []group
	for _, n := range counts {
		g := group{entries: []entry{
			{"", ours, func(ctx context.Context) ([]float64, error) { return l.saturate(ctx, n) }},
			l.loops(n),
		}}
		for _, size := range sizes {
			g.rows = append(g.rows, row{throughputOf(size, n), perSecond})
		}
		if n == 2 {
			g.entries = append(g.entries, l.loops(1))
			g.entries = append(g.entries, l.rivals(n)...)
		}
		if n == 256 {
			g.rounds = 2 * l.rounds / 3 // 256 MiB on their way take long
		}
		groups = append(groups, g)
	}
	return groups
}

func (l *lab) saturate(ctx context.Context, n int) ([]float64, error) {
	var rates []float64
	rig, err := l.echo(nil).Open(ctx, n)
	if err != nil {
		return nil, err
	}
	defer rig.Close()
	for _, size := range sizes {
		rig.Use(payload(size))
		rate, sum, err := rig.Saturate(ctx, l.span)
		if err == nil {
			err = sum.Err()
		}
		if err != nil {
			return nil, err
		}
		rates = append(rates, rate)
	}
	return rates, nil
}

// loops is what pipes to so many processes can do at once.
func (l *lab) loops(n int) entry {
	return entry{pipeLoops(n), bound, func(context.Context) ([]float64, error) { return l.pipes(n) }}
}

func (l *lab) pipes(n int) (rates []float64, err error) {
	p, err := limit.OpenPipes(l.bare(), n)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	for _, size := range sizes {
		rate, err := p.Saturate(payload(size), bench.InPipes(n, size), l.span)
		if err != nil {
			return nil, err
		}
		rates = append(rates, rate)
	}
	return rates, nil
}

// Names of contestants, as the table shows them.
const (
	pipeLoop   = "pipe loop"
	bareSpawn  = "bare spawn"
	forkExec   = "fork+exec"
	ideal      = "ideal"
	grpcStream = "gRPC stream"
	grpcUnary  = "gRPC unary"
	imapOne    = "imap_unordered"
	executor   = "ProcessPoolExecutor"
)

// pipeLoops names as many pipe loops as there are workers.
func pipeLoops(n int) string {
	if n == 1 {
		return pipeLoop
	}
	return fmt.Sprintf("%d %ss", n, pipeLoop)
}

// rivals are the peers with so many workers. All of Python's ways are measured with
// the smallest payload, the best documented one with the others.
func (l *lab) rivals(n int) []entry {
	entries := []entry{
		{grpcStream, rival, func(ctx context.Context) ([]float64, error) {
			return l.goPlugin(ctx, n, (*peer.GoPlugin).Stream)
		}},
		{grpcUnary, rival, func(ctx context.Context) ([]float64, error) {
			return l.goPlugin(ctx, n, (*peer.GoPlugin).Unary)
		}},
	}
	for _, how := range []struct{ how, who string }{
		{"imap1", imapOne}, {"imap64", imapOne + ", chunks of 64"},
		{"apply_async", "Pool.apply_async"}, {"apply", "Pool.apply"}, {"executor", executor},
	} {
		entries = append(entries, entry{how.who, rival, func(ctx context.Context) ([]float64, error) {
			rates := []float64{math.NaN(), math.NaN(), math.NaN()}
			for i, size := range sizes {
				if i > 0 && how.how != "imap1" {
					continue
				}
				rate, err := l.python.Throughput(ctx, how.how, n, size, l.span)
				if err != nil {
					return nil, err
				}
				rates[i] = rate
			}
			return rates, nil
		}})
	}
	return entries
}
