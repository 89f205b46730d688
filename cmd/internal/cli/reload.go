package cli

import (
	"context"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/cmd/internal/client"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

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
	if restart := answer.GetRestart(); len(restart) > 0 {
		r.tell("these settings have changed, too, and take effect when the server is started again: %s", strings.Join(restart, ", "))
	}
	if rolledBack {
		return exitCode(exitIncomplete)
	}
	return nil
}
