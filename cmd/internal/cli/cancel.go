package cli

import (
	"context"

	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/cmd/internal/client"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

func cancelCommand(std Streams) *urfave.Command {
	r := newRemote(std)
	return r.command(verb{
		name: "cancel", usage: "cancel tasks",
		text: "brood cancel [options] ID ...", help: cancelHelp,
		settings: []setting{r.jsonSetting()},
		args:     argCount{1, -1, "the ID of a task"},
		run: func(ctx context.Context, c *client.Client, ids []string) error {
			return r.each(ids, "cancelled", func(id string) error {
				_, err := c.Tasks.Cancel(ctx, &broodv1.CancelRequest{Id: id})
				return c.Explain(err)
			})
		},
	})
}
