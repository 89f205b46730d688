package cli

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/cmd/internal/client"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/task"
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
	incomplete := 0
	wait := func(ids []string) error {
		n, err := o.wait(limited, c, ids)
		incomplete += n
		return err
	}
	var err error
	if len(ids) == 1 && ids[0] == "-" {
		err = idBatches(limited, o.std.In, wait)
	} else {
		err = wait(ids)
	}
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return exitCode(exitIncomplete) // which has been said
	}
	if err == nil && incomplete > 0 {
		return exitCode(exitIncomplete)
	}
	return err
}

// wait waits for some tasks and says which of them are not done in time.
func (o *waitOptions) wait(ctx context.Context, c *client.Client, ids []string) (incomplete int, err error) {
	open := make(map[string]bool)
	for _, id := range ids {
		open[id] = true
	}
	incomplete, err = o.results(ctx, c, open)
	if errors.Is(err, context.DeadlineExceeded) {
		for _, id := range slices.Sorted(maps.Keys(open)) {
			o.tell("%s: no result within %v; the task goes on", id, o.timeout)
		}
	}
	return incomplete, err
}

// results prints what comes and takes it out of open.
func (o *waitOptions) results(ctx context.Context, c *client.Client, open map[string]bool) (incomplete int, err error) {
	err = c.Wait(ctx, slices.Sorted(maps.Keys(open)), o.patience, func(t *broodv1.Task) error {
		delete(open, t.GetId())
		if client.Unknown(t) {
			incomplete++
			o.tell("%s: %s", t.GetId(), t.GetError().GetMessage())
			return nil
		}
		r := client.Result(t)
		if r.Status != task.Completed {
			incomplete++
		}
		return o.write(appendResult(nil, &r))
	})
	return incomplete, err
}
