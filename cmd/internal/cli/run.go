package cli

import (
	"context"
	"strings"

	"github.com/hashicorp/go-hclog"
	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/supervisor"
)

const runName = "run"

func runCommand(std Streams, after tail) *urfave.Command {
	config := &urfave.StringFlag{Name: "config"}
	groups := newOptions().groups()
	return &urfave.Command{
		Name:               runName,
		Usage:              "run tasks and print one JSON line for each",
		UsageText:          "brood run --plugin PATH|NAME [options] [task ...] [-- argument ...]",
		Description:        runDescription,
		HideHelpCommand:    true,
		CustomHelpTemplate: helpTemplate(groups, configHelp),
		OnUsageError:       onUsageError,
		Flags:              append([]urfave.Flag{config}, flags(groups)...),
		Action: func(c *urfave.Context) error {
			o := newOptions()
			if err := o.resolve(c); err != nil {
				return err
			}
			args := c.Args().Slice()
			if err := flagsFirst(args); err != nil {
				return err
			}
			return start(c.Context, o, std, args, after)
		},
	}
}

// flagsFirst refuses flags after the first task: they would be taken for tasks.
func flagsFirst(args []string) error {
	for _, a := range args {
		if len(a) > 1 && strings.HasPrefix(a, "-") {
			return usageErrorf("%q comes after the first task %q: flags go first, and tasks that begin with - go after --", a, args[0])
		}
	}
	return nil
}

// start prepares a run and carries it out.
func start(ctx context.Context, o *options, std Streams, args []string, after tail) error {
	dir, err := home()
	if err != nil {
		return err
	}
	plugin, err := locatePlugin(o.plugin, dir)
	if err != nil {
		return cannotRunf("%v", err)
	}
	sig := catchSignals()
	defer sig.release()
	bar := newProgress(wantsProgress(o.progress, std, o.output == "-"), std.Err)
	defer bar.stop()
	logger := newLogger(o, bar)
	config := o.config(plugin)
	config.Logger = logger

	work := plan{args: args}
	if after.present {
		if work, err = split(ctx, sig, &config, args, after.args, logger); err != nil {
			return err
		}
	}
	if err := work.check(o, std); err != nil {
		return err
	}
	r, err := newRunner(o, std, work, bar)
	if err != nil {
		return err
	}
	return r.run(config, sig)
}

// plan says where the tasks come from.
type plan struct {
	args  []string // tasks; none means lines of input
	plain bool     // a line that is no object is a payload
}

// split decides what follows "--": arguments of a plugin that takes a template,
// or else further tasks. Only the plugin knows, so it is asked.
func split(ctx context.Context, sig *signals, config *supervisor.Config, args, rest []string, logger hclog.Logger) (plan, error) {
	ctx, cancel := sig.cancelling(ctx)
	defer cancel()
	d, err := supervisor.Describe(ctx, config.Pools[0], logger)
	if ctx.Err() != nil {
		return plan{}, exitCode(exitInterrupted)
	}
	if err != nil {
		return plan{}, cannotRunf("%v", err)
	}
	if !d.Template {
		return plan{args: append(args, rest...)}, nil
	}
	config.Pools[0].Args = rest
	return plan{args: args, plain: true}, nil
}

func (p plan) check(o *options, std Streams) error {
	if len(p.args) > 0 && o.input != "-" {
		return usageErrorf("give tasks as arguments or with --input, not both")
	}
	if len(p.args) > 0 || o.input != "-" {
		return nil
	}
	if isTerminal(std.In) {
		return usageErrorf("no tasks: give some as arguments, with --input FILE, or on standard input; see %q", "brood run --help")
	}
	if wasClosed(std.In) {
		return cannotRunf("input: standard input is closed")
	}
	return nil
}

func newLogger(o *options, out *progress) hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{
		Name:       "brood",
		Level:      hclog.LevelFromString(o.logLevel),
		Output:     out,
		JSONFormat: o.logFormat == "json",
	})
}
