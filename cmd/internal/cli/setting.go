package cli

import (
	"strings"

	urfave "github.com/urfave/cli/v2"
)

// shape says how many values a setting takes.
type shape uint8

const (
	single shape = iota // one value
	toggle              // true or false; the bare flag means true
	many                // the flag may be repeated; the config file takes a list
)

// setting is one thing a user can choose in four ways: by flag, by variable, by a
// key of the config file, or by leaving it at its default. All four names
// follow from one, and all values pass through one function.
type setting struct {
	name     string // of the flag
	usage    string // for the help; `X` in it names the value
	fallback string // the default as the help shows it
	shape    shape
	value
}

// group is a category of the help.
type group struct {
	title    string
	settings []setting
}

func (s setting) key() string      { return strings.ReplaceAll(s.name, "-", "_") }
func (s setting) variable() string { return "BROOD_" + strings.ToUpper(s.key()) }

// flag describes the setting to urfave/cli. It leaves variables and defaults out:
// an error has to name the place a bad value came from, so resolve does those.
func (s setting) flag() urfave.Flag {
	switch s.shape {
	case toggle:
		return &urfave.BoolFlag{Name: s.name, Usage: s.usage}
	case many:
		return &urfave.StringSliceFlag{Name: s.name, Usage: s.usage}
	default:
		return &urfave.StringFlag{Name: s.name, Usage: s.usage}
	}
}

func flags(groups []group) []urfave.Flag {
	var all []urfave.Flag
	for _, g := range groups {
		for _, s := range g.settings {
			all = append(all, s.flag())
		}
	}
	return all
}
