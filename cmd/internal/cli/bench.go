package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/go-hclog"
	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/cmd/internal/bench"
	"github.com/brood-run/brood/supervisor"
)

const benchName = "bench"

func benchCommand(std Streams, after tail) *urfave.Command {
	config := &urfave.StringFlag{Name: "config"}
	groups := newBenchOptions().groups()
	return &urfave.Command{
		Name:               benchName,
		Usage:              "measure a plugin: throughput, latency, what a worker costs",
		UsageText:          "brood bench --plugin PATH|NAME [options] [-- argument ...]",
		Description:        benchDescription,
		HideHelpCommand:    true,
		CustomHelpTemplate: helpTemplate(groups, configHelp),
		OnUsageError:       onUsageError,
		Flags:              append([]urfave.Flag{config}, flags(groups)...),
		Action: func(c *urfave.Context) error {
			o := newBenchOptions()
			if err := o.resolve(c); err != nil {
				return err
			}
			if c.Args().Present() {
				return usageErrorf("%q: the tasks to measure are chosen by --task and --payload; arguments of the plugin go after --", c.Args().First())
			}
			return measure(c.Context, o, std, after)
		},
	}
}

// measure carries out `brood bench`.
func measure(ctx context.Context, o *benchOptions, std Streams, after tail) error {
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
	pool := o.pool
	pool.Plugin, pool.Args = path, after.args
	logger := hclog.New(&hclog.LoggerOptions{
		Name: "brood", Level: hclog.LevelFromString(o.logLevel), Output: std.Err, JSONFormat: o.logFormat == "json",
	})
	plan := bench.Plan{
		Target: bench.Target{
			Pool: pool, Task: o.task, Payload: o.content(), Logger: logger,
		},
		Workers: o.workers, Duration: o.duration, Rate: o.rate,
	}
	report, err := begin(ctx, plan)
	if ctx.Err() != nil {
		return &exitError{exitInterrupted, "interrupted: nothing is reported"}
	}
	if err != nil {
		return err
	}
	if err := printReport(std.Out, report, o.json); err != nil {
		return cannotRunf("output: %v", err)
	}
	if report.Tally.Failed() > 0 {
		return &exitError{exitIncomplete, fmt.Sprintf("not all tasks completed: %v", report.Tally)}
	}
	return nil
}

// begin asks the plugin what it serves, so that a missing --task is told before
// anything is measured, and runs the plan.
func begin(ctx context.Context, plan bench.Plan) (*bench.Report, error) {
	pool := plan.Target.Pool
	d, err := supervisor.Describe(ctx, pool, plan.Target.Logger)
	if err != nil {
		return nil, cannotRunf("%v", err)
	}
	if plan.Target.Task == "" && len(d.Tasks) > 1 {
		return nil, usageErrorf("--task is required: %s serves %s", d.Plugin, strings.Join(d.Tasks, ", "))
	}
	report, err := plan.Run(ctx)
	if err != nil {
		return nil, cannotRunf("%v", err)
	}
	return report, nil
}

// textual is a report that can be printed for people, and as JSON.
type textual interface{ Text(io.Writer) error }

func printReport(w io.Writer, report textual, asJSON bool) error {
	if !asJSON {
		return report.Text(w)
	}
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}
