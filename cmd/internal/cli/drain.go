package cli

import (
	"context"
	"time"

	urfave "github.com/urfave/cli/v2"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/brood-run/brood/cmd/internal/client"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

func drainCommand(std Streams) *urfave.Command {
	r := newRemote(std)
	undo, timeout := false, time.Minute
	return r.command(verb{
		name: "drain", usage: "start no more tasks on this server and wait until none runs",
		text: "brood drain [options]",
		help: "The server goes on taking tasks in, and others that share the work run them.\n\n   brood drain --timeout 5m\n   brood drain --undo",
		settings: []setting{
			{"undo", "start tasks again", "", toggle, boolean(&undo)},
			{"timeout", "wait this `DURATION` for what runs; the server goes on draining afterwards", "1m", single, positive(&timeout)},
			r.jsonSetting(),
		},
		run: func(ctx context.Context, c *client.Client, _ []string) error {
			answer, err := c.Admin.Drain(ctx, &broodv1.DrainRequest{Undo: undo, Timeout: durationpb.New(timeout)})
			if err != nil {
				return c.Explain(err)
			}
			return r.drained(undo, int(answer.GetRunning()))
		},
	})
}

func (r *remote) drained(undo bool, running int) error {
	var err error
	switch {
	case r.json:
		err = r.object(map[string]any{"draining": !undo, "running": running})
	case undo:
		err = r.line("tasks are started again")
	case running == 0:
		err = r.line("drained: no task runs")
	default:
		r.tell("%s; the server goes on draining", stillRuns(running))
	}
	if err == nil && !undo && running > 0 {
		return exitCode(exitIncomplete)
	}
	return err
}

func stillRuns(n int) string {
	if n == 1 {
		return "1 task still runs"
	}
	return plural(n, "task") + " still run"
}
