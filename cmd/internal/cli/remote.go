package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/cmd/internal/client"
)

// remote is what all commands that talk to a server have in common.
type remote struct {
	std       Streams
	addr      string
	tokenFile string
	caFile    string
	json      bool
}

func newRemote(std Streams) *remote {
	return &remote{std: std, addr: client.DefaultAddress}
}

// settings are those that have a variable too.
func (r *remote) settings() []setting {
	return []setting{
		{"addr", "`ADDRESS` of the server: a URL, or HOST:PORT", client.DefaultAddress, single, free(r.setAddr)},
		{"token-file", "`FILE` with the token that the server asks for; or put the token in BROOD_TOKEN", "", single, text(&r.tokenFile)},
		{"ca-file", "`FILE` with the certificates by which the server is known, in PEM", "those of the system", single, text(&r.caFile)},
	}
}

func (r *remote) jsonSetting() setting {
	return setting{"json", "print JSON, one object on each line", "", toggle, boolean(&r.json)}
}

func (r *remote) setAddr(raw string) (err error) {
	r.addr, err = client.ParseAddress(raw)
	return err
}

// verb is one command that talks to a server.
type verb struct {
	name, usage, text, help string
	settings                []setting // of its own; they have no variables, a stray one would be a surprise
	args                    argCount
	run                     func(ctx context.Context, c *client.Client, args []string) error
	below                   []*urfave.Command
}

// argCount is how many arguments a command takes, and what they are.
type argCount struct {
	least, most int // most < 0: any number
	what        string
}

func (r *remote) command(v verb) *urfave.Command {
	server := r.settings()
	groups := []group{{"Server", server}}
	if len(v.settings) > 0 {
		groups = []group{{"Options", v.settings}, {"Server", server}}
	}
	return &urfave.Command{
		Name:               v.name,
		Usage:              v.usage,
		UsageText:          v.text,
		Description:        v.help,
		HideHelpCommand:    true,
		CustomHelpTemplate: helpTemplate(groups, ""),
		OnUsageError:       onUsageError,
		Flags:              flags(groups),
		Subcommands:        v.below,
		Action: func(c *urfave.Context) error {
			if err := resolveFlags(c, v.settings); err != nil {
				return err
			}
			for _, s := range server {
				if err := s.resolve(c, nil); err != nil {
					return err
				}
			}
			args := c.Args().Slice()
			if err := v.args.check(args, v.text); err != nil {
				return err
			}
			return r.call(c, func(ctx context.Context, cl *client.Client) error { return v.run(ctx, cl, args) })
		},
	}
}

// resolveFlags fills in settings that are flags and nothing else.
func resolveFlags(c *urfave.Context, settings []setting) error {
	for _, s := range settings {
		from, _ := s.fromFlag(c)
		for _, v := range from.values {
			if err := s.set(v); err != nil {
				return usageErrorf("%s: %v", from.origin, err)
			}
		}
	}
	return nil
}

func (a argCount) check(args []string, text string) error {
	switch {
	case len(args) < a.least:
		return usageErrorf("%s is missing; usage: %s", a.what, text)
	case a.most == 0 && len(args) > 0:
		return usageErrorf("there is no argument to this command, found %q; usage: %s", args[0], text)
	case a.most >= 0 && len(args) > a.most:
		return usageErrorf("one argument too many: %q; usage: %s", args[a.most], text)
	}
	return nil
}

// call connects and runs. SIGPIPE is left alone: who reads no further ends these commands silently, as
// it does others.
func (r *remote) call(c *urfave.Context, run func(context.Context, *client.Client) error) error {
	token, err := r.token(c)
	if err != nil {
		return usageErrorf("token: %v", err)
	}
	cl, err := client.New(client.Config{Address: r.addr, Token: token, CAFile: r.caFile})
	if err != nil {
		return usageErrorf("--ca-file: %v", err)
	}
	defer cl.Close()
	ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	defer stop()
	err = cl.Explain(run(ctx, cl))
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return exitCode(exitInterrupted)
	}
	return ending(err)
}

// token comes from a file or a variable, never from the arguments, which everybody on the machine can
// read. The flag beats the variables.
func (r *remote) token(c *urfave.Context) (string, error) {
	token := os.Getenv("BROOD_TOKEN")
	switch {
	case c.IsSet("token-file") || token == "" && r.tokenFile != "":
		return client.ReadToken(r.tokenFile)
	case token != "":
		return client.CheckToken(token, "the variable BROOD_TOKEN")
	}
	return "", nil
}

// ending chooses the exit code by what went wrong.
func ending(err error) error {
	var f *client.Failure
	if !errors.As(err, &f) {
		return err
	}
	switch f.Reason {
	case client.Nobody:
		return cannotRunf("%v: start one with %q, or say where it is with --addr or BROOD_ADDR", f, "brood serve --plugin P")
	case client.Lost, client.Busy, client.Stranger:
		return cannotRunf("%v", f)
	case client.Denied, client.Invalid, client.TooLarge:
		return usageErrorf("%v", f)
	}
	return &exitError{exitIncomplete, f.Text}
}

// tell writes a line for people to stderr. Names and errors come from strangers.
func (r *remote) tell(format string, args ...any) {
	// A message that cannot be written has nowhere to be reported.
	_, _ = r.std.Err.Write(printable(fmt.Appendf(nil, "brood: "+format+"\n", args...)))
}

// line writes a line of output for people.
func (r *remote) line(format string, args ...any) error {
	return r.write(printable(fmt.Appendf(nil, format+"\n", args...)))
}

// object writes a line of JSON.
func (r *remote) object(v any) error {
	return r.write(append(appendJSON(nil, v), '\n'))
}

func (r *remote) write(text []byte) error {
	if _, err := r.std.Out.Write(text); err != nil {
		return cannotRunf("output: %v", err)
	}
	return nil
}
