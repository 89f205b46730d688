package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/hashicorp/go-hclog"
	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/supervisor"
)

func pluginsCommand(std Streams) *urfave.Command {
	return &urfave.Command{
		Name:      "plugins",
		Usage:     "show what plugins serve: their tasks, SDK and wire version",
		UsageText: "brood plugins [--json] [PATH|NAME ...]",
		Description: `Starts one worker of each plugin, asks it, and stops it. Without arguments it shows
the plugins that have a name: those in the directory plugins beside brood and
the programs called brood-plugin-NAME on PATH.`,
		HideHelpCommand: true,
		OnUsageError:    onUsageError,
		Flags: []urfave.Flag{
			&urfave.BoolFlag{Name: "json", Usage: "print one JSON object for each plugin", DisableDefaultText: true},
		},
		Action: func(c *urfave.Context) error {
			args := c.Args().Slice()
			if err := flagsFirst(args); err != nil {
				return err
			}
			return showPlugins(c.Context, args, c.Bool("json"), std)
		},
	}
}

// pluginLine is what is known about one plugin.
type pluginLine struct {
	Name     string   `json:"name"`
	Path     string   `json:"path,omitempty"`
	Version  string   `json:"version,omitempty"`
	SDK      string   `json:"sdk,omitempty"`
	Wire     int      `json:"wire,omitempty"`
	Tasks    []string `json:"tasks,omitempty"`
	Template bool     `json:"template,omitempty"`
	Error    string   `json:"error,omitempty"`
}

func showPlugins(ctx context.Context, names []string, asJSON bool, std Streams) error {
	dir, err := home()
	if err != nil {
		return err
	}
	sig := catchSignals()
	defer sig.release()
	ctx, cancel := sig.cancelling(ctx)
	defer cancel()
	if len(names) == 0 {
		if names = foundPlugins(dir); len(names) == 0 {
			return cannotRunf("there are no plugins in %s or called %sNAME on PATH", filepath.Join(dir, "plugins"), pluginPrefix)
		}
	}
	lines := make([]pluginLine, len(names))
	broken := 0
	for i, name := range names {
		lines[i] = describe(ctx, name, dir)
		if ctx.Err() != nil {
			return exitCode(exitInterrupted)
		}
		if lines[i].Error != "" {
			broken++
		}
	}
	if err := printPlugins(std.Out, lines, asJSON); err != nil {
		return cannotRunf("output: %v", err)
	}
	if broken > 0 {
		return &exitError{exitIncomplete, fmt.Sprintf("%d of %s cannot be used", broken, plural(len(names), "plugin"))}
	}
	return nil
}

func describe(ctx context.Context, name, home string) pluginLine {
	l := pluginLine{Name: strings.TrimPrefix(filepath.Base(name), pluginPrefix)}
	path, err := locatePlugin(name, home)
	if err == nil {
		l.Path = path
		var d supervisor.Description
		d, err = supervisor.Describe(ctx, supervisor.PoolConfig{Plugin: path}, hclog.NewNullLogger())
		l.Version, l.SDK, l.Wire, l.Tasks, l.Template = d.Version, d.SDK, d.Wire, d.Tasks, d.Template
	}
	if err != nil {
		l.Error = err.Error()
	}
	return l
}

func printPlugins(w io.Writer, lines []pluginLine, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		for _, l := range lines {
			if err := enc.Encode(l); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tVERSION\tSDK\tWIRE\tTASKS")
	for _, l := range lines {
		if l.Error != "" {
			continue
		}
		tasks := strings.Join(l.Tasks, " ")
		if l.Template {
			tasks += " (takes a template after --)"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\n", l.Name, l.Version, l.SDK, l.Wire, tasks)
	}
	for _, l := range lines {
		if l.Error != "" {
			fmt.Fprintf(table, "%s: %s\n", l.Name, l.Error)
		}
	}
	return table.Flush()
}
