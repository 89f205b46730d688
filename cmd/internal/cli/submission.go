package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/brood-run/brood/cmd/internal/client"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/task"
)

// submission is one `brood submit` on its way. Its own goroutine sends batches; another reads the input,
// and with --wait some wait for results.
type submission struct {
	*submitOptions
	client    *client.Client
	submitter *client.Submitter
	waiter    *waiter // nil without --wait

	accepted, duplicates, refused int
}

// send submits batch after batch.
func (s *submission) send(ctx context.Context, b *batcher) error {
	for {
		batch := b.take()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if len(batch) == 0 {
			return nil
		}
		if err := s.batch(ctx, batch); err != nil {
			return err
		}
	}
}

func (s *submission) batch(ctx context.Context, batch []entry) error {
	out, good := s.sift(batch)
	out, accepted, failure := s.store(ctx, out, good)
	if err := s.print(out); err != nil {
		return err
	}
	if failure != nil {
		return failure
	}
	return s.await(accepted)
}

// sift reports the entries that cannot be sent.
func (s *submission) sift(batch []entry) (out []byte, good []entry) {
	for _, e := range batch {
		if e.err != nil {
			out = s.refuse(out, e, &task.Error{Kind: task.KindInvalid, Message: e.err.Error()})
			continue
		}
		good = append(good, e)
	}
	return out, good
}

// store sends entries and appends what the server says. An error says that some are not stored.
func (s *submission) store(ctx context.Context, out []byte, good []entry) (_ []byte, accepted []string, err error) {
	if len(good) == 0 {
		return out, nil, nil
	}
	requests := make([]*broodv1.SubmitRequest, len(good))
	for i, e := range good {
		requests[i] = e.request
	}
	answers, err := s.submitter.Submit(ctx, requests)
	for i, a := range answers {
		switch {
		case a == nil:
		case a.GetError() != nil:
			out = s.refuse(out, good[i], &task.Error{Kind: a.GetError().GetKind(), Message: a.GetError().GetMessage()})
		default:
			out = s.accept(out, a)
			accepted = append(accepted, good[i].id)
		}
	}
	return out, accepted, err
}

func (s *submission) print(out []byte) error {
	if len(out) == 0 {
		return nil
	}
	if s.waiter != nil {
		return s.waiter.print(out)
	}
	return s.write(out)
}

// await hands the accepted tasks to the waiter, if there is one.
func (s *submission) await(ids []string) error {
	if s.waiter == nil {
		return nil
	}
	for _, id := range ids {
		if err := s.waiter.add(id); err != nil {
			return err
		}
	}
	return nil
}

// finish waits for what is waited for and chooses the exit code.
func (s *submission) finish(ctx context.Context, err error) error {
	incomplete := 0
	if s.waiter != nil {
		var waitErr error
		incomplete, waitErr = s.waiter.finish(err != nil)
		if err == nil || errors.Is(err, context.Canceled) {
			err = waitErr
		}
	}
	if s.duplicates > 0 {
		s.tell("%s there already under the same id, and nothing was stored again", wasOrWere(s.duplicates, "task"))
	}
	if err != nil {
		if s.accepted > 0 {
			s.tell("%s accepted before this ended", wasOrWere(s.accepted, "task"))
		}
		return err
	}
	if s.accepted+s.refused == 0 {
		s.tell("the input held no task")
	}
	if s.refused+incomplete > 0 {
		return exitCode(exitIncomplete)
	}
	return nil
}

func wasOrWere(n int, what string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s was", what)
	}
	return plural(n, what) + " were"
}
