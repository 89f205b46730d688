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

func throughputOf(size, n int) string {
	return fmt.Sprintf("tasks/s, %s, %s", bench.Bytes(uint64(size)), workers(n))
}

// scaling says what many workers cost: 64 of them against the best number.
func scaling(results []result) string {
	best, at, many := 0.0, 0, math.NaN()
	for _, n := range counts {
		for _, r := range results {
			if r.name != throughputOf(sizes[0], n) {
				continue
			}
			m := r.brood().median()
			if m > best {
				best, at = m, n
			}
			if n == 64 {
				many = m
			}
		}
	}
	return fmt.Sprintf("\n64 B with 64 workers: %s of the best number of workers, %d.", ratio(many/best), at)
}

// throughput is tasks a second through Submit and its result, one group for each
// number of workers: what is started for it serves all sizes.
func (l *lab) throughput() []group {
	var groups []group
	for _, n := range counts {
		g := group{entries: []entry{
			{"", ours, func(ctx context.Context) ([]float64, error) { return l.saturate(ctx, n) }},
			{"pipe loop", bound, func(context.Context) ([]float64, error) { return l.pipes(n) }},
		}}
		for _, size := range sizes {
			g.rows = append(g.rows, row{throughputOf(size, n), perSecond})
		}
		if n == 2 || l.mode == "full" && n <= 4 {
			g.entries = append(g.entries, l.rivals(n)...)
		}
		groups = append(groups, g)
	}
	return groups
}

func workers(n int) string {
	if n == 1 {
		return "1 worker"
	}
	return fmt.Sprintf("%d workers", n)
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

func (l *lab) pipes(n int) (rates []float64, err error) {
	p, err := limit.OpenPipes(l.bare(), n)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	for _, size := range sizes {
		rate, err := p.Saturate(payload(size), bench.InFlight(n, 1, size, 0), l.span)
		if err != nil {
			return nil, err
		}
		rates = append(rates, rate)
	}
	return rates, nil
}

// rivals are the peers with so many workers. All of Python's ways are measured with
// the smallest payload, the best documented one with the others.
func (l *lab) rivals(n int) []entry {
	entries := []entry{
		{"go-plugin gRPC stream", rival, func(ctx context.Context) ([]float64, error) {
			return l.goPlugin(ctx, n, (*peer.GoPlugin).Stream)
		}},
		{"go-plugin gRPC unary", rival, func(ctx context.Context) ([]float64, error) {
			return l.goPlugin(ctx, n, (*peer.GoPlugin).Unary)
		}},
	}
	for _, how := range []struct{ how, who string }{
		{"imap1", "Pool.imap_unordered, chunks of 1"}, {"imap64", "Pool.imap_unordered, chunks of 64"},
		{"apply_async", "Pool.apply_async"}, {"apply", "Pool.apply"}, {"executor", "ProcessPoolExecutor"},
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
