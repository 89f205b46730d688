package durable

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"time"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

const (
	// Batch is how many tasks are submitted in one request.
	Batch = 500
	// callers submit at the same time: while one request is answered the next is on its way.
	callers = 2
	// look is how often to ask how much is done, once everything has been submitted. How much waits is
	// asked when all should be done, and at every slowLook in case it never is: to count a long queue is
	// work for the server.
	look     = 5 * time.Millisecond
	slowLook = 50
)

// Through submits n tasks in batches and returns how many a second there were, from the first request until
// each has its result stored.
func (srv *Server) Through(ctx context.Context, payload []byte, n int) (float64, error) {
	return srv.timed(ctx, n, func() error { return srv.Fill(ctx, payload, n) })
}

// Submitted is Through, with the tasks from a file of JSON lines by way of `brood submit`, whose start counts.
func (srv *Server) Submitted(ctx context.Context, brood, file string, n int) (float64, error) {
	return srv.timed(ctx, n, func() error {
		cmd := exec.CommandContext(ctx, brood, "submit", "--addr", srv.address, "--input", file)
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("brood submit: %w: %s", err, text[:min(len(text), mostMessages)])
		}
		return nil
	})
}

func (srv *Server) timed(ctx context.Context, n int, submit func() error) (float64, error) {
	before, err := srv.pool(ctx)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := submit(); err != nil {
		return 0, err
	}
	after, err := srv.settled(ctx, before.GetDone()+uint64(n))
	if err != nil {
		return 0, err
	}
	took := time.Since(began)
	if done := after.GetDone() - before.GetDone(); done != uint64(n) || after.GetDead() > 0 {
		return 0, fmt.Errorf("%d tasks of %d were done, %d died", done, n, after.GetDead())
	}
	return float64(n) / took.Seconds(), nil
}

// Fill submits n tasks in batches.
func (srv *Server) Fill(ctx context.Context, payload []byte, n int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	errs := make([]error, callers)
	for i := range callers {
		all.Go(func() {
			if errs[i] = srv.submit(ctx, payload, share(n, i)); errs[i] != nil {
				cancel()
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// share is the part of n tasks that a caller submits.
func share(n, caller int) int { return (n + caller) / callers }

// submit is one caller. The server makes the ids.
func (srv *Server) submit(ctx context.Context, payload []byte, n int) error {
	one := request(payload)
	tasks := make([]*broodv1.SubmitRequest, Batch)
	for i := range tasks {
		tasks[i] = one
	}
	for n > 0 {
		size := min(n, Batch)
		response, err := srv.api.Tasks.SubmitBatch(ctx, &broodv1.SubmitBatchRequest{Tasks: tasks[:size]})
		if err != nil {
			return srv.api.Explain(err)
		}
		if len(response.GetResults()) != size {
			return fmt.Errorf("%d answers to %d tasks", len(response.GetResults()), size)
		}
		for _, r := range response.GetResults() {
			if e := r.GetError(); e != nil {
				return fmt.Errorf("a task was refused: %s: %s", e.GetKind(), e.GetMessage())
			}
		}
		n -= size
	}
	return nil
}

func request(payload []byte) *broodv1.SubmitRequest {
	return &broodv1.SubmitRequest{Input: &broodv1.SubmitRequest_PayloadBytes{PayloadBytes: payload}}
}

// settled waits until every task has its result, which is when the workers have done so many.
func (srv *Server) settled(ctx context.Context, done uint64) (*broodv1.Pool, error) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for looks := 1; ; looks++ {
		n, err := srv.done(ctx)
		if err != nil {
			return nil, err
		}
		if n >= done || looks%slowLook == 0 {
			p, err := srv.pool(ctx)
			if err != nil || p.GetQueued()+p.GetScheduled()+p.GetLeased() == 0 {
				return p, err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// done is how many tasks the workers have done.
func (srv *Server) done(ctx context.Context) (n uint64, err error) {
	r, err := srv.api.Admin.ListWorkers(ctx, &broodv1.ListWorkersRequest{})
	for _, w := range r.GetWorkers() {
		n += w.GetDone()
	}
	return n, srv.api.Explain(err)
}

// pool is the one that the server has.
func (srv *Server) pool(ctx context.Context) (*broodv1.Pool, error) {
	r, err := srv.api.Admin.ListPools(ctx, &broodv1.ListPoolsRequest{})
	if err != nil {
		return nil, srv.api.Explain(err)
	}
	if len(r.GetPools()) != 1 {
		return nil, fmt.Errorf("the server has %d pools, not 1", len(r.GetPools()))
	}
	return r.GetPools()[0], nil
}
