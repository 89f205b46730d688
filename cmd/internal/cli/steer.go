package cli

import (
	"context"

	urfave "github.com/urfave/cli/v2"

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
