package httpapi

import (
	"context"
	"errors"
	"io"
	"sync"

	"connectrpc.com/connect"
	"golang.org/x/sync/semaphore"
	"google.golang.org/protobuf/proto"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

// How far a SubmitStream reads ahead of the broker: tasks, and bytes of tasks.
const (
	aheadTasks = 512
	aheadBytes = 8 << 20
)

// submission is a task on its way from the wire.
type submission struct {
	request *broodv1.SubmitRequest
	size    int64 // its share of aheadBytes
}

// SubmitStream implements broodv1.TaskServiceHandler. One goroutine reads ahead, this one stores
// all that has come in the meantime and answers.
func (t tasks) SubmitStream(ctx context.Context, stream *connect.BidiStream[broodv1.SubmitRequest, broodv1.SubmitResponse]) error {
	ctx, cancel := context.WithCancel(ctx)
	var (
		reader sync.WaitGroup
		ahead  = semaphore.NewWeighted(aheadBytes)
		in     = make(chan submission, aheadTasks)
		end    error // of reading; written before in is closed
	)
	reader.Go(func() {
		defer close(in)
		end = readAhead(ctx, stream, ahead, in)
	})
	defer func() {
		cancel()
		unblock(ctx)
		reader.Wait()
	}()
	for {
		select {
		case first, open := <-in:
			if !open {
				return end
			}
			if err := t.store(ctx, stream, first, in, ahead); err != nil {
				return err
			}
		case <-t.stopping:
			return stopped()
		}
	}
}

// store enqueues one submission and those behind it that are there already.
func (t tasks) store(ctx context.Context, stream *connect.BidiStream[broodv1.SubmitRequest, broodv1.SubmitResponse],
	first submission, in <-chan submission, ahead *semaphore.Weighted,
) error {
	batch, size := []*broodv1.SubmitRequest{first.request}, first.size
	for range min(len(in), t.cfg.Limits.MaxBatch-1) { // nobody else takes from it
		next := <-in
		batch, size = append(batch, next.request), size+next.size
	}
	defer ahead.Release(size)
	for _, a := range t.enqueue(ctx, batch) {
		if err := stream.Send(a); err != nil {
			return err
		}
	}
	return nil
}

// readAhead reads until the caller has nothing more to say, which is no error.
func readAhead(ctx context.Context, stream *connect.BidiStream[broodv1.SubmitRequest, broodv1.SubmitResponse],
	ahead *semaphore.Weighted, in chan<- submission,
) error {
	for {
		r, err := stream.Receive()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s := submission{r, min(int64(proto.Size(r)), aheadBytes)}
		if err := ahead.Acquire(ctx, s.size); err != nil {
			return answer(err)
		}
		select {
		case in <- s:
		case <-ctx.Done():
			return answer(ctx.Err())
		}
	}
}
