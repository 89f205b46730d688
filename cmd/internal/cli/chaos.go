package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/cmd/internal/chaos"
	"github.com/brood-run/brood/supervisor"
)

const chaosName = "chaos"

func chaosCommand(std Streams, after tail) *urfave.Command {
	config := &urfave.StringFlag{Name: "config"}
	groups := newChaosOptions().groups()
	return &urfave.Command{
		Name:               chaosName,
		Usage:              "strike a plugin's workers at random and check that nothing is lost or left",
		UsageText:          "brood chaos --plugin PATH|NAME [options] [-- argument ...]",
		Description:        chaosDescription,
		HideHelpCommand:    true,
		CustomHelpTemplate: helpTemplate(groups, configHelp),
		OnUsageError:       onUsageError,
		Flags:              append([]urfave.Flag{config}, flags(groups)...),
		Action: func(c *urfave.Context) error {
			o := newChaosOptions()
			if err := o.resolve(c); err != nil {
				return err
			}
			if c.Args().Present() {
				return usageErrorf("%q: the tasks to run are chosen by --task and --payload; arguments of the plugin go after --", c.Args().First())
			}
			return o.run(c.Context, std, after)
		},
	}
}

// run carries out `brood chaos`.
func (o *chaosOptions) run(ctx context.Context, std Streams, after tail) error {
	if err := chaos.Supported(); err != nil {
		return cannotRunf("%v", err)
	}
	dir, err := home()
	if err != nil {
		return err
	}
	path, err := locatePlugin(o.plugin, dir)
	if err != nil {
		return cannotRunf("%v", err)
	}
	sig := catchSignals()
	defer sig.release()
	ctx, cancel := sig.cancelling(ctx)
	defer cancel()
	plan, err := o.plan(ctx, path, std, after)
	switch {
	case err != nil:
		return o.stopped(ctx, err)
	case chaos.IsPuppet():
		return o.stopped(ctx, plan.Obey(ctx))
	case o.supervisorKill:
		return o.killSupervisors(ctx, &plan, std)
	}
	report, err := plan.Run(ctx)
	if err != nil {
		return o.stopped(ctx, err)
	}
	if err := printReport(std.Out, report, o.json); err != nil {
		return cannotRunf("output: %v", err)
	}
	return o.verdict(ctx, report.Promises)
}

// killSupervisors carries out `brood chaos --supervisor-kill`. The supervisors are this program with
// the same arguments, told what they are in a way that nobody types.
func (o *chaosOptions) killSupervisors(ctx context.Context, plan *chaos.Plan, std Streams) error {
	report, err := chaos.KillPlan{
		Plugin: plan.Pool.Plugin, Isolation: cmp.Or(plan.Pool.Isolation, supervisor.IsolationGroup),
		Seed: o.seed, Kills: o.kills, Start: cmp.Or(plan.Pool.StartTimeout, 10*time.Second),
		Command: func() *exec.Cmd {
			cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
			cmd.Stderr = std.Err
			return cmd
		},
	}.Run(ctx)
	if err != nil {
		return o.stopped(ctx, err)
	}
	if err := printReport(std.Out, report, o.json); err != nil {
		return cannotRunf("output: %v", err)
	}
	return o.verdict(ctx, report.Promises)
}

// plan asks the plugin what it serves and says which faults cannot be made with it.
func (o *chaosOptions) plan(ctx context.Context, path string, std Streams, after tail) (chaos.Plan, error) {
	config := o.config(path)
	pool := config.Pools[0]
	pool.Args = after.args
	logger := hclog.New(&hclog.LoggerOptions{
		Name: "brood", Level: hclog.LevelFromString(o.logLevel), Output: std.Err, JSONFormat: o.logFormat == "json",
	})
	d, err := supervisor.Describe(ctx, pool, logger)
	if err != nil {
		return chaos.Plan{}, err
	}
	faults, cannot := chaos.Possible(o.faults, d.Tasks)
	if len(cannot) > 0 {
		what := fmt.Sprintf("not with this plugin: %s, and %s serves %s", chaos.Needs(cannot), d.Plugin, strings.Join(d.Tasks, ", "))
		if o.named {
			return chaos.Plan{}, usageErrorf("--faults: %s", what)
		}
		if !o.supervisorKill {
			fmt.Fprintln(std.Err, "brood:", what)
		}
	}
	return chaos.Plan{
		Pool: pool, QueueSize: config.QueueSize, MaxPayload: config.MaxPayload, Grace: config.GracePeriod, Logger: logger,
		Task: o.task, Payload: o.content(), Tasks: o.tasks, Duration: o.duration,
		Rate: o.rate, Seed: o.seed, Faults: faults, Serves: d.Tasks,
	}, nil
}

// stopped words why a run did not begin.
func (o *chaosOptions) stopped(ctx context.Context, err error) error {
	var choice *chaos.ChoiceError
	var exit *exitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return &exitError{exitInterrupted, "interrupted: nothing is reported"}
	case errors.As(err, &exit):
		return err
	case errors.As(err, &choice):
		return usageErrorf("--task is required: %s serves %s", o.plugin, strings.Join(choice.Tasks, ", "))
	}
	return cannotRunf("%v", err)
}

// verdict is the exit code, and how to see it again.
func (o *chaosOptions) verdict(ctx context.Context, promises []*chaos.Promise) error {
	if broken := chaos.Broken(promises); broken != "" {
		return &exitError{exitIncomplete, fmt.Sprintf("broken: %s\nto repeat it: %s", broken, o.again(os.Args))}
	}
	if ctx.Err() != nil {
		return exitCode(exitInterrupted)
	}
	return nil
}

// again is the command line with the seed of this run.
func (o *chaosOptions) again(args []string) string {
	seed := []string{"--seed", strconv.FormatUint(o.seed, 10)}
	if slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(strings.TrimLeft(a, "-"), "seed") }) {
		seed = nil
	}
	quoted := make([]string, 0, len(args)+2)
	for i, a := range slices.Insert(slices.Clone(args), min(2, len(args)), seed...) {
		if i > 0 && strings.ContainsAny(a, " \t\n\"'$&|;<>(){}*?!`\\") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		quoted = append(quoted, a)
	}
	return strings.Join(quoted, " ")
}
