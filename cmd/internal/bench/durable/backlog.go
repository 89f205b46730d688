package durable

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

// Backlog is what a server with many waiting tasks is like.
type Backlog struct {
	Submits   []time.Duration // single requests on top of them
	Start     time.Duration   // from exec to the first answered request, after a stop in order
	AfterKill time.Duration   // the same after SIGKILL
	RSS       uint64          // of the server that has started, in bytes
}

// Backlog pauses the pool, submits n tasks, submits single ones for d, and starts the server again so
// many times in each way; times are medians.
func (s Setup) Backlog(ctx context.Context, payload []byte, n, starts int, d time.Duration) (b Backlog, err error) {
	srv, err := s.Start(ctx)
	if err != nil {
		return b, err
	}
	defer func() { err = errors.Join(err, srv.Kill()) }()
	if err := srv.fillPaused(ctx, payload, n, d, &b); err != nil {
		return b, err
	}
	var inOrder, killed []time.Duration
	var memory []uint64
	for i := range 2 * starts {
		stop, took := srv.Close, &inOrder
		if i%2 == 1 {
			stop, took = srv.Kill, &killed
		}
		if err := stop(); err != nil {
			return b, err
		}
		next, t, err := s.restart(ctx, payload)
		if err != nil {
			return b, err
		}
		srv = next
		if n, err = srv.holds(ctx, n); err != nil {
			return b, err
		}
		*took, memory = append(*took, t), append(memory, srv.RSS())
	}
	b.Start, b.AfterKill, b.RSS = middle(inOrder), middle(killed), middle(memory)
	return b, nil
}

func (srv *Server) fillPaused(ctx context.Context, payload []byte, n int, d time.Duration, b *Backlog) error {
	p, err := srv.pool(ctx)
	if err != nil {
		return err
	}
	if _, err := srv.api.Admin.PausePool(ctx, &broodv1.PausePoolRequest{Pool: p.GetName()}); err != nil {
		return srv.api.Explain(err)
	}
	if err := srv.Fill(ctx, payload, n); err != nil {
		return err
	}
	b.Submits, err = srv.Alone(ctx, payload, d)
	return err
}

// restart starts a server on what another has left.
func (s Setup) restart(ctx context.Context, payload []byte) (*Server, time.Duration, error) {
	srv, err := s.Start(ctx)
	if err != nil {
		return nil, 0, err
	}
	err = srv.one(ctx, payload)
	took := time.Since(srv.began)
	if err != nil {
		return nil, 0, errors.Join(err, srv.Kill())
	}
	return srv, took, nil
}

// holds makes sure that at least n tasks are there, and returns how many wait.
func (srv *Server) holds(ctx context.Context, n int) (int, error) {
	p, err := srv.pool(ctx)
	if err != nil {
		return 0, err
	}
	waiting := int(p.GetQueued() + p.GetScheduled() + p.GetLeased())
	if waiting+int(p.GetDone()) < n {
		return 0, fmt.Errorf("%d tasks wait after a start and %d were done, there were %d at least", waiting, p.GetDone(), n)
	}
	return waiting, nil
}

func middle[T time.Duration | uint64](all []T) T {
	slices.Sort(all)
	return all[len(all)/2]
}
