package cli

import (
	"context"
	"maps"
	"slices"

	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/cmd/internal/client"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

func deadCommand(std Streams) *urfave.Command {
	return &urfave.Command{
		Name: "dead", Usage: "list, show, retry or purge the tasks that did not make it",
		UsageText:       "brood dead list|show|retry|purge [options] [ID ...]",
		Description:     deadHelp,
		HideHelpCommand: true,
		OnUsageError:    onUsageError,
		Subcommands:     []*urfave.Command{deadListCommand(std), deadShowCommand(std), deadRetryCommand(std), deadPurgeCommand(std)},
		Action: func(c *urfave.Context) error {
			if c.Args().Present() {
				return usageErrorf("there is no %q; it is brood dead list, show, retry or purge", "brood dead "+c.Args().First())
			}
			return urfave.ShowSubcommandHelp(c)
		},
	}
}

// choice of dead letters: ids, or all of a pool, or all.
type deadChoice struct {
	pool string
	all  bool
	yes  bool
}

func (d *deadChoice) settings() []setting {
	return []setting{
		{"pool", "all of the pool `NAME`", "", single, text(&d.pool)},
		{"all", "all there are", "", toggle, boolean(&d.all)},
	}
}

func (d *deadChoice) check(ids []string) error {
	ways := 0
	for _, given := range []bool{len(ids) > 0, d.pool != "", d.all} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return usageErrorf("say which dead letters: IDs, --pool NAME or --all, one of the three")
	}
	return nil
}

func deadRetryCommand(std Streams) *urfave.Command {
	r, d := newRemote(std), new(deadChoice)
	return r.command(verb{
		name: "retry", usage: "queue dead tasks again, under their ids and without their history",
		text: "brood dead retry [options] ID ... | --pool NAME | --all", help: "   brood dead retry --pool thumbnail",
		settings: append(d.settings(), r.jsonSetting()),
		args:     argCount{most: -1},
		run: func(ctx context.Context, c *client.Client, ids []string) error {
			if err := d.check(ids); err != nil {
				return err
			}
			answer, err := c.DeadLetters.Retry(ctx, &broodv1.RetryDeadLettersRequest{Ids: ids, Pool: d.pool, All: d.all})
			if err != nil {
				return c.Explain(err)
			}
			return r.dealt("queued again", "retried", int(answer.GetRetried()), answer.GetErrors())
		},
	})
}

func deadPurgeCommand(std Streams) *urfave.Command {
	r, d := newRemote(std), new(deadChoice)
	return r.command(verb{
		name: "purge", usage: "remove dead letters for good",
		text:     "brood dead purge [options] ID ... | --pool NAME --yes | --all --yes",
		help:     "   brood dead purge 01981b1e-5a0c-7c3e-9d3a-0d7a8f0a5f10\n   brood dead purge --all --yes",
		settings: append(d.settings(), setting{"yes", "yes, remove all of them", "", toggle, boolean(&d.yes)}, r.jsonSetting()),
		args:     argCount{most: -1},
		run: func(ctx context.Context, c *client.Client, ids []string) error {
			if err := d.check(ids); err != nil {
				return err
			}
			if len(ids) == 0 && !d.yes {
				return usageErrorf("this removes dead letters for good, with their payloads and records: add --yes if you mean it")
			}
			answer, err := c.DeadLetters.Purge(ctx, &broodv1.PurgeDeadLettersRequest{Ids: ids, Pool: d.pool, All: d.all})
			if err != nil {
				return c.Explain(err)
			}
			return r.dealt("removed", "purged", int(answer.GetPurged()), answer.GetErrors())
		},
	})
}

// dealt says what was done to dead letters, and what could not be.
func (r *remote) dealt(did, key string, n int, refused map[string]*broodv1.Error) error {
	if r.json {
		errs := make(map[string]errorLine, len(refused))
		for id, e := range refused {
			errs[id] = errorLine{e.GetKind(), e.GetMessage()}
		}
		if err := r.object(map[string]any{key: n, "errors": errs}); err != nil {
			return err
		}
	} else {
		for _, id := range slices.Sorted(maps.Keys(refused)) {
			r.tell("%s: %s", id, refused[id].GetMessage())
		}
		if err := r.line("%s %s", plural(n, "dead letter"), did); err != nil {
			return err
		}
	}
	if len(refused) > 0 {
		return exitCode(exitIncomplete)
	}
	return nil
}
