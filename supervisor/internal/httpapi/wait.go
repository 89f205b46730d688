package httpapi

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/task"
)

// Get implements broodv1.TaskServiceHandler.
func (t tasks) Get(ctx context.Context, r *broodv1.GetRequest) (*broodv1.GetResponse, error) {
	found, err := t.find(ctx, r.GetId())
	if err != nil {
		return nil, err
	}
	return &broodv1.GetResponse{Task: found}, nil
}

// find returns what is known of a task. Its result counts as what is in memory until it is released.
func (t tasks) find(ctx context.Context, id string) (*broodv1.Task, error) {
	if err := given("id", id); err != nil {
		return nil, err
	}
	record, err := t.cfg.Broker.Get(ctx, id)
	if err != nil {
		return nil, about(id, err)
	}
	if record.Result != nil {
		if err := outletOf(ctx).take(min(len(record.Result.Payload), t.cfg.Limits.MaxBuffered)); err != nil {
			return nil, err
		}
	}
	return taskOf(record, asJSON(ctx)), nil
}

// Wait implements broodv1.TaskServiceHandler.
func (t tasks) Wait(ctx context.Context, r *broodv1.WaitRequest) (*broodv1.WaitResponse, error) {
	limit, err := t.patience(r.GetTimeout())
	if err != nil {
		return nil, err
	}
	leave, err := t.waits.enter(1)
	if err != nil {
		return nil, err
	}
	defer leave()
	found, err := t.find(ctx, r.GetId())
	if err != nil || over(found) {
		return &broodv1.WaitResponse{Task: found}, err
	}
	there := make(chan struct{})
	stop, err := t.cfg.Broker.OnResult(ctx, r.GetId(), func(task.Result) { close(there) })
	if err != nil {
		return nil, about(r.GetId(), err)
	}
	defer stop()
	if err := t.until(ctx, limit, there); err != nil {
		return nil, err
	}
	found, err = t.find(ctx, r.GetId())
	return &broodv1.WaitResponse{Task: found}, err
}

// until waits for an event, and at most for a time. Nobody waits with a token that is one no more.
func (a *API) until(ctx context.Context, limit time.Duration, event <-chan struct{}) error {
	ctx, cancel := callerOf(ctx).whileValid(ctx)
	defer cancel()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-event:
		return nil
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return answer(context.Cause(ctx))
	case <-a.stopping:
		return stopped()
	}
}

// patience is how long a caller wants to wait, and at most the longest wait.
func (a *API) patience(d *durationpb.Duration) (time.Duration, error) {
	limit := a.cfg.Limits.WaitLimit
	if d == nil {
		return limit, nil
	}
	if err := d.CheckValid(); err != nil || d.AsDuration() < 0 {
		return 0, invalid("timeout", "%v s is no time to wait", d.GetSeconds())
	}
	return min(d.AsDuration(), limit), nil
}

func over(t *broodv1.Task) bool {
	return t.GetState() >= broodv1.TaskState_TASK_STATE_COMPLETED
}

// given says that a field is needed.
func given(field, value string) error {
	if value == "" {
		return invalid(field, "is needed")
	}
	return nil
}

// about is answer for an error that concerns one thing.
func about(id string, err error) error {
	if err == nil {
		return nil
	}
	return answer(fmt.Errorf("%s: %w", text(id), err))
}
