package httpapi

import (
	"context"
	"errors"
	"io"
	"sync"

	"connectrpc.com/connect"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

// aheadTasks is how many tasks a SubmitStream reads ahead of the broker, if there is room for
// their bytes.
const aheadTasks = 512

// submission is a task on its way from the wire.
type submission struct {
	request *broodv1.SubmitRequest
	size    int64 // what it takes of the room for requests
}

// SubmitStream implements broodv1.TaskServiceHandler. One goroutine reads ahead, this one stores
// all that has come in the meantime and answers.
func (t tasks) SubmitStream(ctx context.Context, stream *connect.BidiStream[broodv1.SubmitRequest, broodv1.SubmitResponse]) error {
	ctx, cancel := context.WithCancel(ctx)
	body := envelopesOf(ctx)
	var (
		reader sync.WaitGroup
		in     = make(chan submission, aheadTasks)
		end    error // of reading; written before in is closed
	)
	reader.Go(func() {
		defer close(in)
		end = t.readAhead(ctx, stream, in)
	})
	defer func() {
		cancel()
		body.unblock()
		reader.Wait()
		for left := range in {
			t.room.Release(left.size)
		}
	}()
	for {
		select {
		case first, open := <-in:
			if !open {
				return end
			}
			if err := t.store(ctx, stream, first, in); err != nil {
				return err
			}
		case <-ctx.Done():
			return answer(context.Cause(ctx))
		case <-t.stopping:
			return stopped()
		}
	}
}

// store enqueues one submission and those behind it that are there already.
func (t tasks) store(ctx context.Context, stream *connect.BidiStream[broodv1.SubmitRequest, broodv1.SubmitResponse],
	first submission, in <-chan submission,
) error {
	batch, size := []*broodv1.SubmitRequest{first.request}, first.size
	for range min(len(in), t.cfg.Limits.MaxBatch-1) { // nobody else takes from it
		next := <-in
		batch, size = append(batch, next.request), size+next.size
	}
	defer t.room.Release(size)
	answers := t.enqueue(ctx, batch)
	out := outletOf(ctx)
	out.hold(true)
	defer out.hold(false)
	for i, a := range answers {
		if i == len(answers)-1 {
			out.hold(false)
		}
		if err := stream.Send(a); err != nil {
			return err
		}
	}
	return nil
}

// readAhead reads until the caller has nothing more to say, which is no error.
func (t tasks) readAhead(ctx context.Context, stream *connect.BidiStream[broodv1.SubmitRequest, broodv1.SubmitResponse], in chan<- submission) error {
	for {
		r, err := stream.Receive()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		size, err := envelopesOf(ctx).take(r)
		if err != nil {
			return err
		}
		select {
		case in <- submission{r, size}:
		case <-ctx.Done():
			t.room.Release(size)
			return answer(ctx.Err())
		}
	}
}
