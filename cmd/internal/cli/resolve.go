package cli

import (
	"os"
	"strconv"
	"strings"

	urfave "github.com/urfave/cli/v2"
)

// given is what one source says about one setting.
type given struct {
	origin string // the place, as an error names it
	values []string
}

// resolve fills the options: a flag beats a variable, a variable beats the file,
// the file beats the default.
func (o *options) resolve(c *urfave.Context) error {
	groups := o.groups()
	if err := resolveAll(c, groups, groups); err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return usageErrorf("%v", err)
	}
	return nil
}

// resolveAll fills in the settings of groups. known are those that the config file may hold.
func resolveAll(c *urfave.Context, known, groups []group) error {
	file, err := configValues(c, known)
	if err != nil {
		return err
	}
	for _, g := range groups {
		for _, s := range g.settings {
			if err := s.resolve(c, file); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s setting) resolve(c *urfave.Context, file map[string]given) error {
	from, ok := s.fromOutside(c)
	if !ok {
		from = file[s.key()]
	}
	for _, v := range from.values {
		if err := s.set(v); err != nil {
			return usageErrorf("%s: %v", from.origin, err)
		}
	}
	return nil
}

// fromOutside is what beats a file. c may be nil: then nothing does.
func (s setting) fromOutside(c *urfave.Context) (given, bool) {
	if c == nil {
		return given{}, false
	}
	if from, ok := s.fromFlag(c); ok {
		return from, true
	}
	return s.fromEnvironment()
}

func (s setting) fromFlag(c *urfave.Context) (given, bool) {
	if !c.IsSet(s.name) {
		return given{}, false
	}
	g := given{origin: "--" + s.name}
	switch s.shape {
	case toggle:
		g.values = []string{strconv.FormatBool(c.Bool(s.name))}
	case many:
		g.values = c.StringSlice(s.name)
	default:
		g.values = []string{c.String(s.name)}
	}
	return g, true
}

// fromEnvironment takes an empty variable for an unset one. Several values are
// separated by newlines, the one character none of them can need.
func (s setting) fromEnvironment() (given, bool) {
	raw := os.Getenv(s.variable())
	if raw == "" {
		return given{}, false
	}
	g := given{origin: "the variable " + s.variable(), values: []string{raw}}
	if s.shape == many {
		g.values = strings.Split(strings.TrimRight(raw, "\n"), "\n")
	}
	return g, true
}

// configValues reads the config file named by --config or BROOD_CONFIG, if any.
func configValues(c *urfave.Context, groups []group) (map[string]given, error) {
	path := c.String("config")
	if path == "" {
		path = os.Getenv("BROOD_CONFIG")
	}
	if path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, usageErrorf("config file: %v", err)
	}
	values, err := parseConfig(path, raw, groups)
	if err != nil {
		return nil, usageErrorf("%v", err)
	}
	return values, nil
}
