package cli

import (
	_ "embed"
	"fmt"

	urfave "github.com/urfave/cli/v2"
)

//go:embed completion.bash
var bashCompletion string

//go:embed completion.zsh
var zshCompletion string

func completionCommand() *urfave.Command {
	return &urfave.Command{
		Name:            "completion",
		Usage:           "print a completion script for bash, zsh or fish",
		ArgsUsage:       "bash|zsh|fish",
		HideHelpCommand: true,
		OnUsageError:    onUsageError,
		Description: `Load it into the current shell, or put that line into its start file:

   source <(brood completion bash)
   source <(brood completion zsh)
   brood completion fish | source`,
		BashComplete: func(c *urfave.Context) {
			fmt.Fprint(c.App.Writer, "bash\nzsh\nfish\n")
		},
		Action: func(c *urfave.Context) error {
			script, err := completionScript(c.App, c.Args().First())
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(c.App.Writer, script)
			return err
		},
	}
}

func completionScript(app *urfave.App, shell string) (string, error) {
	switch shell {
	case "bash":
		return bashCompletion, nil
	case "zsh":
		return zshCompletion, nil
	case "fish":
		return app.ToFishCompletion()
	}
	return "", usageErrorf("expected bash, zsh or fish, found %q", shell)
}
