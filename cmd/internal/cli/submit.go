package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"

	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/cmd/internal/client"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/task"
)

func submitCommand(std Streams) *urfave.Command {
	o := newSubmitOptions(std)
	return o.command(verb{
		name: "submit", usage: "give tasks to a server and print their ids",
		text: "brood submit [options] [task ...]", help: submitHelp,
		settings: o.settings(), args: argCount{most: -1}, run: o.run,
	})
}

// submission is one `brood submit` on its way. Its own goroutine sends batches; another reads the input,
// and with --wait some wait for results.
type submission struct {
	*submitOptions
	client    *client.Client
	submitter *client.Submitter
	waiter    *waiter // nil without --wait

	accepted, duplicates, refused int
}

func (o *submitOptions) run(ctx context.Context, c *client.Client, args []string) error {
	if err := o.check(args); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	b := newBatcher(ctx, o.batch)
	defer b.release()
	s := &submission{submitOptions: o, client: c, submitter: c.Submitter(o.patience)}
	if o.wait {
		s.waiter = newWaiter(ctx, o.remote, c, o.patience)
	}
	var reading sync.WaitGroup
	var readErr error
	reading.Go(func() {
		defer b.end()
		readErr = o.feed(ctx, args, b)
	})
	err := s.send(ctx, b)
	if err != nil {
		cancel()
	}
	reading.Wait()
	return s.finish(ctx, errors.Join(err, readErr))
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
	var out []byte
	var good []entry
	for _, e := range batch {
		if e.err != nil {
			out = s.refuse(out, e, &task.Error{Kind: task.KindInvalid, Message: e.err.Error()})
			continue
		}
		good = append(good, e)
	}
	var failure error
	if len(good) > 0 {
		requests := make([]*broodv1.SubmitRequest, len(good))
		for i, e := range good {
			requests[i] = e.request
		}
		var answers []*broodv1.SubmitResponse
		answers, failure = s.submitter.Submit(ctx, requests)
		for i, a := range answers {
			switch {
			case a == nil:
			case a.GetError() != nil:
				out = s.refuse(out, good[i], &task.Error{Kind: a.GetError().GetKind(), Message: a.GetError().GetMessage()})
			default:
				out = s.accept(out, a)
			}
		}
	}
	if err := s.print(out); err != nil {
		return err
	}
	if failure != nil {
		return failure
	}
	return s.await(ctx, good)
}

// submitted is an answer in JSON.
type submitted struct {
	ID        string     `json:"id,omitempty"`
	Duplicate bool       `json:"duplicate,omitempty"`
	Place     string     `json:"place,omitempty"`
	Error     *errorLine `json:"error,omitempty"`
}

// errorLine is an error in a line of JSON.
type errorLine struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

func (s *submission) accept(out []byte, a *broodv1.SubmitResponse) []byte {
	s.accepted++
	if a.GetDuplicate() {
		s.duplicates++
	}
	switch {
	case s.wait:
		return out // its result is its line
	case s.json:
		return append(appendJSON(out, submitted{ID: a.GetId(), Duplicate: a.GetDuplicate()}), '\n')
	}
	return append(append(out, printable([]byte(a.GetId()))...), '\n')
}

// refuse reports a task that was not stored where its id or its result would have been.
func (s *submission) refuse(out []byte, e entry, why *task.Error) []byte {
	s.refused++
	located := why.Message
	if e.place != "" {
		located = e.place + ": " + located
	}
	switch {
	case s.wait:
		r := task.Result{Task: task.Task{ID: e.id, Name: e.task}, Status: task.Rejected, Err: &task.Error{Kind: why.Kind, Message: located}}
		return appendResult(out, &r)
	case s.json:
		return append(appendJSON(out, submitted{ID: e.id, Place: e.place, Error: &errorLine{why.Kind, why.Message}}), '\n')
	}
	s.tell("%s", located)
	return out
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
func (s *submission) await(ctx context.Context, batch []entry) error {
	if s.waiter == nil {
		return nil
	}
	for _, e := range batch {
		if err := s.waiter.add(ctx, e.id); err != nil {
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
		s.tell("%s accepted before this ended", wasOrWere(s.accepted, "task"))
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
