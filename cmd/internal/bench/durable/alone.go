package durable

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brood-run/brood/cmd/internal/client"
	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/jetstream"
	"github.com/brood-run/brood/supervisor/task"
)

const (
	alonePool = "alone"
	// atOnce is how many leases are asked for, and answered, together.
	atOnce = 1000
)

// BrokerAlone is how many tasks a second the server's broker can take, lease out and store results of, in this
// process, with neither an API nor workers around it.
func BrokerAlone(ctx context.Context, dir string, payload []byte, n int) (rate float64, err error) {
	b, err := jetstream.Open(ctx, jetstream.Config{Dir: dir})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	began := time.Now()
	if err := through(ctx, b, payload, n); err != nil {
		return 0, err
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

// through has as many goroutines enqueue as callers submit, and as many answer.
func through(ctx context.Context, b broker.Broker, payload []byte, n int) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	var all sync.WaitGroup
	var done atomic.Int64
	for i := range callers {
		all.Go(func() {
			if err := enqueue(ctx, b, payload, share(n, i)); err != nil {
				end(err)
			}
		})
		all.Go(func() { end(answer(ctx, b, int64(n), &done)) })
	}
	all.Wait()
	if done.Load() == int64(n) {
		return nil
	}
	return context.Cause(ctx)
}

func enqueue(ctx context.Context, b broker.Broker, payload []byte, n int) error {
	for ; n > 0; n -= Batch {
		messages := make([]*broker.Message, min(n, Batch))
		for i := range messages {
			messages[i] = &broker.Message{Task: task.Task{ID: client.NewID(), Name: "echo", Payload: payload}, Pool: alonePool, Fresh: true}
		}
		if err := errors.Join(b.Enqueue(ctx, messages)...); err != nil {
			return fmt.Errorf("enqueue: %w", err)
		}
	}
	return nil
}

// answer leases and answers until n tasks have been answered by all who do.
func answer(ctx context.Context, b broker.Broker, n int64, done *atomic.Int64) error {
	for {
		leases, err := b.Lease(ctx, alonePool, atOnce)
		if err != nil {
			return fmt.Errorf("lease: %w", err)
		}
		answers := make([]broker.Answer, len(leases))
		for i, l := range leases {
			answers[i] = broker.Answer{Lease: l, Result: &task.Result{Task: l.Task, Status: task.Completed, Payload: l.Task.Payload, Started: 1}}
		}
		if err := errors.Join(b.Ack(ctx, answers)...); err != nil {
			return fmt.Errorf("ack: %w", err)
		}
		if done.Add(int64(len(leases))) >= n {
			return nil
		}
	}
}
