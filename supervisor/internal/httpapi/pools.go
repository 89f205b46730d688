package httpapi

import (
	"context"
	"errors"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/brood-run/brood/supervisor"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/broker"
)

// ListPools implements broodv1.AdminServiceHandler.
func (a admin) ListPools(ctx context.Context, _ *broodv1.ListPoolsRequest) (*broodv1.ListPoolsResponse, error) {
	out := &broodv1.ListPoolsResponse{Draining: a.cfg.Backend.Draining()}
	snapshot := a.cfg.Backend.Snapshot()
	for i := range snapshot.Pools {
		p := &snapshot.Pools[i]
		pool := poolOf(p)
		counts, err := a.cfg.Broker.Counts(ctx, p.Name)
		switch {
		case errors.Is(err, broker.ErrUnavailable):
			pool.Degraded = text("the queue is out of sight: " + err.Error())
		case err != nil:
			return nil, about(p.Name, err)
		}
		pool.Queued, pool.Scheduled, pool.Leased, pool.Dead = int64(counts.Queued), int64(counts.Scheduled), int64(counts.Leased), int64(counts.Dead)
		pool.Oldest, pool.Paused = durationpb.New(counts.Oldest), counts.Paused
		out.Pools = append(out.Pools, pool)
	}
	return out, nil
}

// poolOf is what this server knows of a pool.
func poolOf(p *supervisor.PoolSnapshot) *broodv1.Pool {
	pool := &broodv1.Pool{
		Name: text(p.Name), Plugin: text(p.Plugin), Isolation: string(p.Isolation), Degraded: text(p.Degraded), ReloadError: text(p.Reload),
		Workers: int32(p.Size), Running: int64(p.Running), Done: p.Done, Restarts: p.Restarts,
	}
	for _, t := range p.Tasks {
		pool.Tasks = append(pool.Tasks, text(t))
	}
	for i := range p.Workers {
		switch p.Workers[i].State {
		case "ready", "busy":
			pool.WorkersReady++
		}
	}
	return pool
}

// ListWorkers implements broodv1.AdminServiceHandler.
func (a admin) ListWorkers(_ context.Context, r *broodv1.ListWorkersRequest) (*broodv1.ListWorkersResponse, error) {
	if r.GetPool() != "" {
		if err := a.served(r.GetPool()); err != nil {
			return nil, err
		}
	}
	out := &broodv1.ListWorkersResponse{}
	for _, p := range a.cfg.Backend.Snapshot().Pools {
		if r.GetPool() != "" && r.GetPool() != p.Name {
			continue
		}
		for _, w := range p.Workers {
			out.Workers = append(out.Workers, &broodv1.Worker{
				Name: text(w.Name), Pool: text(p.Name), Pid: int32(w.PID), State: w.State, Task: text(w.Task),
				RssBytes: w.RSS, PeakRssBytes: w.PeakRSS, Cpu: durationpb.New(w.CPU), Done: w.TasksDone, Age: durationpb.New(w.Age),
			})
		}
	}
	return out, nil
}
