package cli

import (
	"context"
	"time"

	urfave "github.com/urfave/cli/v2"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/brood-run/brood/cmd/internal/client"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

func pauseCommand(std Streams) *urfave.Command {
	r := newRemote(std)
	return r.command(verb{
		name: "pause", usage: "start no more tasks of a pool, on any server, until it is resumed",
		text:     "brood pause [options] POOL ...",
		help:     "What runs goes on, and tasks are still taken in.\n\n   brood pause thumbnail\n   brood resume thumbnail",
		settings: []setting{r.jsonSetting()},
		args:     argCount{1, -1, "the name of a POOL"},
		run: func(ctx context.Context, c *client.Client, pools []string) error {
			return r.each(pools, "is paused", func(pool string) error {
				_, err := c.Admin.PausePool(ctx, &broodv1.PausePoolRequest{Pool: pool})
				return c.Explain(err)
			})
		},
	})
}

func resumeCommand(std Streams) *urfave.Command {
	r := newRemote(std)
	return r.command(verb{
		name: "resume", usage: "start tasks of a paused pool again",
		text: "brood resume [options] POOL ...", help: "   brood resume thumbnail",
		settings: []setting{r.jsonSetting()},
		args:     argCount{1, -1, "the name of a POOL"},
		run: func(ctx context.Context, c *client.Client, pools []string) error {
			return r.each(pools, "is resumed", func(pool string) error {
				_, err := c.Admin.ResumePool(ctx, &broodv1.ResumePoolRequest{Pool: pool})
				return c.Explain(err)
			})
		},
	})
}

func scaleCommand(std Streams) *urfave.Command {
	r := newRemote(std)
	return r.command(verb{
		name: "scale", usage: "set the number of workers of a pool, on this server, until it restarts",
		text: "brood scale [options] POOL N", help: "   brood scale thumbnail 8",
		settings: []setting{r.jsonSetting()},
		args:     argCount{2, 2, "the name of a POOL or the number of workers"},
		run: func(ctx context.Context, c *client.Client, args []string) error {
			n := 0
			if err := whole(&n, 1, 10_000).set(args[1]); err != nil {
				return usageErrorf("the number of workers: %v", err)
			}
			return r.each(args[:1], "has "+plural(n, "worker"), func(pool string) error {
				_, err := c.Admin.ScalePool(ctx, &broodv1.ScalePoolRequest{Pool: pool, Workers: int32(n)})
				return c.Explain(err)
			})
		},
	})
}

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

func reloadCommand(std Streams) *urfave.Command {
	r := newRemote(std)
	return r.command(verb{
		name: "reload", usage: "have the server read its config file again and replace workers by the new plugins",
		text:     "brood reload [options]",
		help:     "Workers are replaced one by one without losing capacity. If a new plugin does not become\nready, its pool goes on with the old one, and this says why.\n\n   brood reload",
		settings: []setting{r.jsonSetting()},
		run:      func(ctx context.Context, c *client.Client, _ []string) error { return r.reload(ctx, c) },
	})
}

// reloadObject is what was done with a pool, in JSON.
type reloadObject struct {
	Pool    string `json:"pool"`
	Outcome string `json:"outcome"`
	Message string `json:"message,omitempty"`
}

func (r *remote) reload(ctx context.Context, c *client.Client) error {
	answer, err := c.Admin.Reload(ctx, &broodv1.ReloadRequest{})
	if err != nil {
		return c.Explain(err)
	}
	t := newTable("POOL", "OUTCOME", "MESSAGE")
	rolledBack := false
	for _, p := range answer.GetPools() {
		rolledBack = rolledBack || p.GetOutcome() == "rolled_back"
		if r.json {
			if err := r.object(reloadObject{p.GetPool(), p.GetOutcome(), p.GetMessage()}); err != nil {
				return err
			}
			continue
		}
		t.row(p.GetPool(), p.GetOutcome(), p.GetMessage())
	}
	if !r.json {
		if err := r.table(t); err != nil {
			return err
		}
	}
	if rolledBack {
		return exitCode(exitIncomplete)
	}
	return nil
}
