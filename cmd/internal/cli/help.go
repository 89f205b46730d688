package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// helpTemplate is the help of a command whose flags come from groups. urfave/cli
// would sort the categories by name; a newcomer needs the tasks first. last is a line about a flag
// that is no setting.
func helpTemplate(groups []group, last string) string {
	var b strings.Builder
	b.WriteString(`NAME:
   {{.HelpName}} - {{.Usage}}

USAGE:
   {{.UsageText}}

DESCRIPTION:
{{.Description | indent 3}}

OPTIONS:
`)
	table := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for _, g := range groups {
		fmt.Fprintf(table, "   %s\n", g.title)
		for _, s := range g.settings {
			value, usage := s.describe()
			fmt.Fprintf(table, "     --%s%s\t%s\n", s.name, value, usage)
		}
		fmt.Fprintln(table)
	}
	if last != "" {
		fmt.Fprintf(table, "   Settings\n     %s\n", last)
	}
	table.Flush()
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// configHelp is about the config file of commands whose settings are all flags.
const configHelp = "--config FILE\tYAML FILE of settings, the keys are the flags with _ for -"

// describe returns the name of a setting's value and its usage with the default.
func (s setting) describe() (value, usage string) {
	usage = s.usage
	if before, rest, ok := strings.Cut(usage, "`"); ok {
		name, after, _ := strings.Cut(rest, "`")
		value, usage = " "+name, before+name+after
	}
	if s.fallback != "" {
		usage += fmt.Sprintf(" (default %s)", s.fallback)
	}
	return value, usage
}
