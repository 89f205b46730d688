package httpapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"connectrpc.com/connect"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/broker"
)

// admin is the AdminService.
type admin struct{ *API }

var _ broodv1.AdminServiceHandler = admin{}

// RecycleWorker implements broodv1.AdminServiceHandler.
func (a admin) RecycleWorker(_ context.Context, r *broodv1.RecycleWorkerRequest) (*broodv1.RecycleWorkerResponse, error) {
	if err := given("name", r.GetName()); err != nil {
		return nil, err
	}
	return &broodv1.RecycleWorkerResponse{}, answer(a.cfg.Backend.Recycle(r.GetName()))
}

// ScalePool implements broodv1.AdminServiceHandler.
func (a admin) ScalePool(_ context.Context, r *broodv1.ScalePoolRequest) (*broodv1.ScalePoolResponse, error) {
	if err := a.served(r.GetPool()); err != nil {
		return nil, err
	}
	if n := r.GetWorkers(); n < 1 || n > 10_000 {
		return nil, invalid("workers", "%d is not within 1 to 10000; PausePool stops a pool's tasks", n)
	}
	return &broodv1.ScalePoolResponse{}, answer(a.cfg.Backend.Scale(r.GetPool(), int(r.GetWorkers())))
}

// PausePool implements broodv1.AdminServiceHandler.
func (a admin) PausePool(ctx context.Context, r *broodv1.PausePoolRequest) (*broodv1.PausePoolResponse, error) {
	return &broodv1.PausePoolResponse{}, a.pause(ctx, r.GetPool(), true)
}

// ResumePool implements broodv1.AdminServiceHandler.
func (a admin) ResumePool(ctx context.Context, r *broodv1.ResumePoolRequest) (*broodv1.ResumePoolResponse, error) {
	return &broodv1.ResumePoolResponse{}, a.pause(ctx, r.GetPool(), false)
}

func (a admin) pause(ctx context.Context, pool string, paused bool) error {
	if err := a.served(pool); err != nil {
		return err
	}
	return answer(a.cfg.Broker.Pause(ctx, pool, paused))
}

// served refuses a pool that this server does not have.
func (a admin) served(pool string) error {
	if err := given("pool", pool); err != nil {
		return err
	}
	var names []string
	for _, p := range a.cfg.Backend.Snapshot().Pools {
		names = append(names, p.Name)
	}
	if !slices.Contains(names, pool) {
		return answer(fmt.Errorf("pool %s: %w; this server has %v", text(pool), broker.ErrNotFound, names))
	}
	return nil
}

// drainTime is how long Drain waits unless it is told.
const drainTime = time.Minute

// Drain implements broodv1.AdminServiceHandler.
func (a admin) Drain(ctx context.Context, r *broodv1.DrainRequest) (*broodv1.DrainResponse, error) {
	if r.GetUndo() {
		a.cfg.Backend.Undrain()
		return &broodv1.DrainResponse{Running: a.running()}, nil
	}
	limit := drainTime
	if r.GetTimeout() != nil {
		var err error
		if limit, err = span("timeout", r.GetTimeout()); err != nil {
			return nil, connect.NewError(connect.CodeInvalidArgument, err)
		}
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := a.cfg.Backend.Drain(bounded)
	if err != nil && (ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded)) {
		return nil, answer(err)
	}
	return &broodv1.DrainResponse{Running: a.running()}, nil
}

func (a admin) running() int32 { return int32(a.cfg.Backend.Snapshot().Running) }

// Reload implements broodv1.AdminServiceHandler.
func (a admin) Reload(ctx context.Context, _ *broodv1.ReloadRequest) (*broodv1.ReloadResponse, error) {
	if a.cfg.Reload == nil {
		return nil, connect.NewError(connect.CodeFailedPrecondition, errors.New("this server has no configuration that it could read again"))
	}
	done, err := a.cfg.Reload(ctx)
	if err != nil {
		if explain(err).code == connect.CodeInternal {
			err = connect.NewError(connect.CodeFailedPrecondition, err) // the configuration, and nobody here, is to blame
		}
		return nil, answer(err)
	}
	out := &broodv1.ReloadResponse{Restart: done.Restart}
	for _, p := range done.Pools {
		out.Pools = append(out.Pools, &broodv1.PoolReload{Pool: text(p.Pool), Outcome: p.Outcome, Message: text(p.Message)})
	}
	return out, nil
}
