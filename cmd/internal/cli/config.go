package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/go-hclog"
	urfave "github.com/urfave/cli/v2"
)

func configCommand(std Streams) *urfave.Command {
	return &urfave.Command{
		Name:            "config",
		Usage:           "check a config file of brood serve, or print its schema for editors",
		UsageText:       "brood config check FILE\n   brood config schema",
		Description:     "   brood config check brood.yaml\n   brood config schema > brood.schema.json",
		HideHelpCommand: true,
		OnUsageError:    onUsageError,
		Subcommands:     []*urfave.Command{configCheckCommand(std), configSchemaCommand(std)},
		Action: func(c *urfave.Context) error {
			if c.Args().Present() {
				return usageErrorf("there is no %q; it is brood config check or schema", "brood config "+c.Args().First())
			}
			return urfave.ShowSubcommandHelp(c)
		},
	}
}

func configCheckCommand(std Streams) *urfave.Command {
	return &urfave.Command{
		Name:      "check",
		Usage:     "say what is wrong with a config file, or what it would do",
		UsageText: "brood config check FILE",
		Description: `Looks at everything that brood serve would: the keys and values, the plugins and what
they serve (a worker of each is started and stopped), the tokens. It opens neither
the data directory nor the address.

   brood config check brood.yaml

Exit code: 0 it can be served, 2 something is wrong.`,
		HideHelpCommand: true,
		OnUsageError:    onUsageError,
		Action: func(c *urfave.Context) error {
			args := c.Args().Slice()
			if err := (argCount{1, 1, "the FILE"}).check(args, "brood config check FILE"); err != nil {
				return err
			}
			return checkConfig(c.Context, args[0], std)
		},
	}
}

func checkConfig(ctx context.Context, path string, std Streams) error {
	dir, err := home()
	if err != nil {
		return err
	}
	sig := catchSignals()
	defer sig.release()
	ctx, cancel := sig.cancelling(ctx)
	defer cancel()
	source := &serveSource{file: path, home: dir}
	s, err := source.load(ctx, hclog.NewNullLogger(), nil)
	if err == nil {
		err = s.acceptable()
	}
	if ctx.Err() != nil {
		return exitCode(exitInterrupted)
	}
	if err != nil {
		return usageErrorf("%v", err) // whoever checks wants to know whether it can be served, not why not
	}
	text, err := s.describe(path)
	if err != nil {
		return err
	}
	if _, err := std.Out.Write(printable([]byte(text))); err != nil {
		return cannotRunf("output: %v", err)
	}
	return nil
}

// describe says what a server would do.
func (s *serving) describe(path string) (string, error) {
	dir, err := s.dataDirectory()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ok\n", path)
	fmt.Fprintf(&b, "listens on %s%s\n", s.listen, s.callers())
	fmt.Fprintf(&b, "keeps tasks %s\n", s.keptIn(dir))
	for _, p := range s.pools {
		fmt.Fprintf(&b, "pool %s: %s of %s for %s\n", p.Name, workersOf(p), p.Plugin, strings.Join(p.Tasks, ", "))
	}
	return b.String(), nil
}

func (s *serving) callers() string {
	if len(s.tokens) == 0 {
		return ", for whoever can reach it"
	}
	names := make([]string, len(s.tokens))
	for i, t := range s.tokens {
		names[i] = fmt.Sprintf("%s (%s)", t.Name, t.Role)
	}
	return ", for the tokens " + strings.Join(names, ", ")
}

func configSchemaCommand(std Streams) *urfave.Command {
	return &urfave.Command{
		Name:      "schema",
		Usage:     "print the JSON schema of config files, by which editors complete and check",
		UsageText: "brood config schema",
		Description: `   brood config schema > brood.schema.json

and in the first line of brood.yaml:

   # yaml-language-server: $schema=brood.schema.json`,
		HideHelpCommand: true,
		OnUsageError:    onUsageError,
		Action: func(c *urfave.Context) error {
			if c.Args().Present() {
				return usageErrorf("there is no argument to this command, found %q", c.Args().First())
			}
			if _, err := std.Out.Write(schemaText()); err != nil {
				return cannotRunf("output: %v", err)
			}
			return nil
		},
	}
}

// schemaText is the schema as a file.
func schemaText() []byte {
	text, err := json.MarshalIndent(fileSchema(), "", "  ")
	if err != nil {
		panic("cli: a schema does not encode: " + err.Error())
	}
	return append(text, '\n')
}
