package durable

import (
	"context"
	"fmt"
	"time"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

// Warm returns once a worker has done a task.
func (srv *Server) Warm(ctx context.Context) error { return srv.roundTrip(ctx, request(nil)) }

// Alone submits one task after the other for d, and returns how long each request took.
func (srv *Server) Alone(ctx context.Context, payload []byte, d time.Duration) ([]time.Duration, error) {
	return repeated(d, func() error { return srv.one(ctx, payload) })
}

// Trips submits one task after the other and waits for each result, and returns how long both took.
func (srv *Server) Trips(ctx context.Context, payload []byte, d time.Duration) ([]time.Duration, error) {
	r := request(payload)
	return repeated(d, func() error { return srv.roundTrip(ctx, r) })
}

func repeated(d time.Duration, act func() error) (took []time.Duration, err error) {
	for began := time.Now(); time.Since(began) < d; {
		start := time.Now()
		if err := act(); err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
	}
	return took, nil
}

func (srv *Server) one(ctx context.Context, payload []byte) error {
	_, err := srv.api.Tasks.Submit(ctx, request(payload))
	return srv.api.Explain(err)
}

func (srv *Server) roundTrip(ctx context.Context, r *broodv1.SubmitRequest) error {
	s, err := srv.api.Tasks.Submit(ctx, r)
	if err != nil {
		return srv.api.Explain(err)
	}
	w, err := srv.api.Tasks.Wait(ctx, &broodv1.WaitRequest{Id: s.GetId()})
	if err != nil {
		return srv.api.Explain(err)
	}
	if state := w.GetTask().GetState(); state != broodv1.TaskState_TASK_STATE_COMPLETED {
		return fmt.Errorf("a task is %v: %s", state, w.GetTask().GetError().GetMessage())
	}
	return nil
}
