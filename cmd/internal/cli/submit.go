package cli

import (
	"context"
	"errors"
	"sync"

	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/cmd/internal/client"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

func submitCommand(std Streams) *urfave.Command {
	o := newSubmitOptions(std)
	return o.command(verb{
		name: "submit", usage: "give tasks to a server and print their ids",
		text: "brood submit [options] [task ...]", help: submitHelp,
		settings: o.settings(), args: argCount{most: -1}, run: o.run,
	})
}

// dropped makes a task that was accepted and is unknown a cancelled one: its result has been dropped, and nobody can
// say more.
func dropped(t *broodv1.Task) bool {
	t.State = broodv1.TaskState_TASK_STATE_CANCELLED
	return false
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
		s.waiter = newWaiter(ctx, o.remote, c, o.patience, dropped)
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
