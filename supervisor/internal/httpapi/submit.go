package httpapi

import (
	"context"
	"errors"
	"time"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/broker"
)

// tasks is the TaskService.
type tasks struct{ *API }

var _ broodv1.TaskServiceHandler = tasks{}

// Submit implements broodv1.TaskServiceHandler.
func (t tasks) Submit(ctx context.Context, r *broodv1.SubmitRequest) (*broodv1.SubmitResponse, error) {
	m, err := message(r, time.Now())
	if err != nil {
		return nil, answer(err)
	}
	out := &broodv1.SubmitResponse{}
	if errs := t.cfg.Backend.Enqueue(ctx, []*broker.Message{m}); errs != nil && errs[0] != nil {
		if !errors.Is(errs[0], broker.ErrDuplicate) {
			return nil, answer(errs[0])
		}
		out.Duplicate = true
	}
	out.Id = text(m.Task.ID)
	return out, nil
}

// SubmitBatch implements broodv1.TaskServiceHandler.
func (t tasks) SubmitBatch(ctx context.Context, r *broodv1.SubmitBatchRequest) (*broodv1.SubmitBatchResponse, error) {
	if n := len(r.GetTasks()); n > t.cfg.Limits.MaxBatch {
		return nil, invalid("tasks", "%d are more than %d; send them in several batches, or with SubmitStream", n, t.cfg.Limits.MaxBatch)
	}
	return &broodv1.SubmitBatchResponse{Results: t.enqueue(ctx, r.GetTasks())}, nil
}

// enqueue stores those tasks that are good and answers for each.
func (t tasks) enqueue(ctx context.Context, requests []*broodv1.SubmitRequest) []*broodv1.SubmitResponse {
	now := time.Now()
	answers := make([]broodv1.SubmitResponse, len(requests))
	out := make([]*broodv1.SubmitResponse, len(requests))
	good := make([]*broker.Message, 0, len(requests))
	places := make([]int, 0, len(requests)) // of the good ones
	for i, r := range requests {
		out[i] = &answers[i]
		m, err := message(r, now)
		if err != nil {
			out[i].Id, out[i].Error = r.GetId(), asPart(err)
			continue
		}
		good, places = append(good, m), append(places, i)
	}
	if len(good) == 0 {
		return out
	}
	errs := t.cfg.Backend.Enqueue(ctx, good)
	for n, m := range good {
		a := out[places[n]]
		a.Id = text(m.Task.ID)
		switch {
		case errs == nil || errs[n] == nil:
		case errors.Is(errs[n], broker.ErrDuplicate):
			a.Duplicate = true
		default:
			a.Error = asPart(errs[n])
		}
	}
	return out
}

// Cancel implements broodv1.TaskServiceHandler.
func (t tasks) Cancel(ctx context.Context, r *broodv1.CancelRequest) (*broodv1.CancelResponse, error) {
	if err := given("id", r.GetId()); err != nil {
		return nil, err
	}
	return &broodv1.CancelResponse{}, about(r.GetId(), t.cfg.Broker.Cancel(ctx, r.GetId()))
}
