package cli

import (
	"context"
	"errors"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/cmd/internal/client"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

// waitOptions are the flags of `brood wait`.
type waitOptions struct {
	*remote
	timeout  time.Duration
	patience time.Duration
}

func waitCommand(std Streams) *urfave.Command {
	o := &waitOptions{remote: newRemote(std), patience: 30 * time.Second}
	return o.command(verb{
		name: "wait", usage: "wait for tasks and print their results",
		text: "brood wait [options] ID ... | -", help: waitHelp,
		settings: []setting{
			{"timeout", "give up after this `DURATION`; the tasks go on", "never", single, positive(&o.timeout)},
			{"retry-for", "go on for this `DURATION` when the server is away", "30s", single, duration(&o.patience)},
		},
		args: argCount{least: 1, most: -1, what: "the ID of a task"},
		run:  o.run,
	})
}

func (o *waitOptions) run(ctx context.Context, c *client.Client, ids []string) error {
	limited := ctx
	if o.timeout > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	w := newWaiter(limited, o.remote, c, o.patience, o.unknown)
	var inputErr error
	if len(ids) == 1 && ids[0] == "-" {
		inputErr = eachID(w.ctx, o.std.In, w.add)
	} else {
		w.addAll(ids)
	}
	incomplete, err := w.finish(false)
	switch {
	case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		for _, id := range w.ids.left() {
			o.tell("%s: no result within %v; the task goes on", id, o.timeout)
		}
		return exitCode(exitIncomplete)
	case err != nil:
		return err
	case inputErr != nil:
		return inputErr
	case incomplete > 0:
		return exitCode(exitIncomplete)
	}
	return nil
}

// unknown says of a task that nobody knows it.
func (o *waitOptions) unknown(t *broodv1.Task) bool {
	o.tell("%s: %s", t.GetId(), t.GetError().GetMessage())
	return true
}
