package cli

import (
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"
)

// permute moves flags before the arguments of a command, as people write them behind too: `brood get ID
// --json`. urfave/cli stops at the first argument. The commands whose arguments are
// tasks of their own, or a template, keep theirs as they are.
func permute(app *urfave.App, args []string) []string {
	if len(args) < 2 || slices.Contains([]string{runName, benchName, chaosName}, args[1]) ||
		args[len(args)-1] == "--generate-bash-completion" {
		return args
	}
	var command *urfave.Command
	rest, below := args[1:], app.Commands
	for len(rest) > 0 {
		i := slices.IndexFunc(below, func(c *urfave.Command) bool { return c.HasName(rest[0]) })
		if i < 0 {
			break
		}
		command, rest, below = below[i], rest[1:], below[i].Subcommands
	}
	if command == nil {
		return args
	}
	head := args[:len(args)-len(rest)]
	flags, plain := partition(command, rest)
	if len(plain) == 0 {
		return slices.Concat(head, flags)
	}
	return slices.Concat(head, flags, []string{"--"}, plain)
}

// partition tells flags with their values from arguments.
func partition(command *urfave.Command, rest []string) (flags, plain []string) {
	for i := 0; i < len(rest); i++ {
		a := rest[i]
		switch {
		case a == "--":
			return flags, append(plain, rest[i+1:]...)
		case len(a) < 2 || a[0] != '-':
			plain = append(plain, a)
		default:
			flags = append(flags, a)
			if takesValue(command, a) && i+1 < len(rest) {
				i++
				flags = append(flags, rest[i])
			}
		}
	}
	return flags, plain
}

// takesValue says that the next argument is this flag's value.
func takesValue(command *urfave.Command, flag string) bool {
	name := strings.TrimLeft(flag, "-")
	for _, f := range command.Flags {
		if slices.Contains(f.Names(), name) {
			_, toggle := f.(*urfave.BoolFlag)
			return !toggle
		}
	}
	return false
}
