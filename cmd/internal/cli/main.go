package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"
)

// Streams are the three standard streams of a process.
type Streams struct {
	In, Out, Err *os.File
}

// Main runs the command line args (args[0] is the program) and returns the
// process's exit code.
func Main(args []string, streams Streams) int {
	own, rest, split := args, []string(nil), false
	// urfave/cli drops a "--" silently, but what follows it is a template for
	// some plugins, so it is cut off here.
	if i := slices.Index(args, "--"); i > 1 && (args[1] == runName || args[1] == benchName || args[1] == chaosName) {
		own, rest, split = args[:i:i], args[i+1:], true
	}
	app := newApp(streams, tail{args: rest, present: split})
	return report(app.Run(permute(app, own)), streams)
}

// tail is what followed the first "--".
type tail struct {
	args    []string
	present bool
}

func report(err error, streams Streams) int {
	if err == nil {
		return exitOK
	}
	code := exitUsage
	var exit *exitError
	if errors.As(err, &exit) {
		code = exit.code
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(streams.Err, "brood:", text)
	}
	return code
}

func newApp(streams Streams, after tail) *urfave.App {
	app := &urfave.App{
		Name:                      "brood",
		Usage:                     "run tasks in worker processes that may crash, leak or hang, and answer for every one",
		UsageText:                 "brood COMMAND [options] [argument ...]",
		Description:               appDescription,
		HideVersion:               true,
		EnableBashCompletion:      true,
		DisableSliceFlagSeparator: true,
		Reader:                    streams.In,
		Writer:                    streams.Out,
		ErrWriter:                 streams.Err,
		OnUsageError:              onUsageError,
		// The exit code is Main's return value; nothing below it may exit.
		ExitErrHandler: func(*urfave.Context, error) {},
		Action: func(c *urfave.Context) error {
			if c.Args().Present() {
				return usageErrorf("there is no command %q; %q lists them", c.Args().First(), "brood help")
			}
			return urfave.ShowAppHelp(c)
		},
	}
	app.Commands = []*urfave.Command{
		runCommand(streams, after),
		benchCommand(streams, after),
		chaosCommand(streams, after),
		pluginsCommand(streams),
		serveCommand(streams),
		configCommand(streams),
		submitCommand(streams),
		waitCommand(streams),
		getCommand(streams),
		cancelCommand(streams),
		deadCommand(streams),
		workersCommand(streams),
		poolsCommand(streams),
		pauseCommand(streams),
		resumeCommand(streams),
		scaleCommand(streams),
		drainCommand(streams),
		reloadCommand(streams),
		eventsCommand(streams),
		completionCommand(),
		versionCommand(),
	}
	return app
}

const appDescription = `A plugin is a program that serves named tasks. brood starts worker processes
from it, hands them tasks, replaces the ones that crash, bloat or wear out, and
prints one JSON line for each task.

   brood plugins                                  what can I run?
   brood run --plugin echo hello world            two tasks, one for each word
   brood run --plugin echo --input tasks.jsonl    one task for each line of a file
   brood serve --plugin echo                      keep tasks, and take them over the network
   brood submit hello world                       give two tasks to that server`

// onUsageError words a mistake in the flags of a command and says where to look.
func onUsageError(c *urfave.Context, err error, _ bool) error {
	command, known := "brood", map[string]bool{}
	if c.Command != nil && c.Command.HelpName != "" {
		command = c.Command.HelpName
		for _, f := range c.Command.Flags {
			known[f.Names()[0]] = true
		}
	}
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		text = fmt.Sprintf("there is no flag --%s%s", name, suggestion(name, known))
	}
	return usageErrorf("%s; see %q", text, command+" --help")
}
