package main

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/brood-run/brood/cmd/internal/bench"
	"github.com/brood-run/brood/cmd/internal/bench/durable"
)

const (
	servedRow  = "serve: submitted to stored, 64 B"
	commandRow = "serve: by brood submit, 64 B"
	submitRow  = "serve: Submit, p50"
	startRow   = "serve: start"

	brokerAlone = "broker alone"
)

// serving is brood serve with its embedded broker, through its API. Neither reference isolates its
// tasks, and neither is run here: their figures were measured on two cores of the same kind of machine.
func (l *lab) serving() []group {
	return []group{
		{rows: []row{{servedRow, perSecond}, {commandRow, perSecond}}, entries: []entry{
			{"", ours, l.served},
			{brokerAlone, bound, l.brokerAlone},
			{"asynq, Redis", quoted, known(8_000, math.NaN())},
			{"River, PostgreSQL", quoted, known(21_000, math.NaN())},
		}},
		{
			rows: []row{
				{submitRow + ", idle", nanos}, {"serve: Submit, p99, idle", nanos}, {"serve: Submit and Wait, p50, idle", nanos},
				{"serve: RSS, idle", bytesOf},
			},
			entries: []entry{{"", ours, l.servedAlone}},
		},
		l.backlog(l.queued),
	}
}

// known are figures that were measured elsewhere.
func known(figures ...float64) func(context.Context) ([]float64, error) {
	return func(context.Context) ([]float64, error) { return figures, nil }
}

// backlog is a server with n tasks that wait. Its starts are repeated; filling it is not.
func (l *lab) backlog(n int) group {
	waiting := ", " + bench.Count(float64(n)) + " queued"
	return group{
		rows: []row{
			{submitRow + waiting, nanos}, {"serve: Submit, p99" + waiting, nanos},
			{startRow + waiting, nanos}, {startRow + " after SIGKILL, the same", nanos},
			{"serve: RSS" + waiting, bytesOf},
		},
		entries: []entry{{"", ours, func(ctx context.Context) ([]float64, error) {
			var b durable.Backlog
			err := l.inDir(func(dir string) (err error) {
				b, err = l.server(dir).Backlog(ctx, payload(64), n, l.restarts, l.waits())
				return err
			})
			if err != nil {
				return nil, err
			}
			return append(quantiles(b.Submits), float64(b.Start), float64(b.AfterKill), float64(b.RSS)), nil
		}}},
		rounds: 1,
	}
}

func (l *lab) server(dir string) durable.Setup {
	return durable.Setup{Brood: l.brood(), Plugin: l.plugin("echo"), Dir: dir, Workers: 2}
}

// waits is how long to measure requests one after the other, of which there are not many in a moment.
func (l *lab) waits() time.Duration { return 2 * l.span }

// inDir gives a measurement a directory of its own.
func (l *lab) inDir(do func(dir string) error) error {
	dir, err := os.MkdirTemp(l.dir, "serve-")
	if err != nil {
		return err
	}
	return errors.Join(do(dir), os.RemoveAll(dir))
}

// withServer gives it a server that has done a task.
func (l *lab) withServer(ctx context.Context, do func(*durable.Server) error) error {
	return l.inDir(func(dir string) (err error) {
		srv, err := l.server(dir).Start(ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, srv.Close()) }()
		if err := srv.Warm(ctx); err != nil {
			return err
		}
		return do(srv)
	})
}

func (l *lab) served(ctx context.Context) (rates []float64, err error) {
	input := filepath.Join(l.dir, "served.jsonl")
	if err := os.WriteFile(input, bytes.Repeat(jsonLine(), l.served64), 0o600); err != nil {
		return nil, err
	}
	err = l.withServer(ctx, func(srv *durable.Server) error {
		rate, err := srv.Through(ctx, payload(64), l.served64)
		if err != nil {
			return err
		}
		byCommand, err := srv.Submitted(ctx, l.brood(), input, l.served64)
		rates = []float64{rate, byCommand}
		return err
	})
	return rates, err
}

func (l *lab) brokerAlone(ctx context.Context) (rates []float64, err error) {
	err = l.inDir(func(dir string) error {
		rate, err := durable.BrokerAlone(ctx, dir, payload(64), l.served64)
		rates = []float64{rate, math.NaN()}
		return err
	})
	return rates, err
}

func (l *lab) servedAlone(ctx context.Context) (figures []float64, err error) {
	err = l.withServer(ctx, func(srv *durable.Server) error {
		memory := float64(srv.RSS())
		submits, err := srv.Alone(ctx, payload(64), l.waits())
		if err != nil {
			return err
		}
		trips, err := srv.Trips(ctx, payload(64), l.waits())
		if err != nil {
			return err
		}
		figures = append(quantiles(submits), quantiles(trips)[0], memory)
		return nil
	})
	return figures, err
}
