package supervisor

import (
	"context"

	"github.com/hashicorp/go-hclog"
)

// Description is what a plugin says of itself.
type Description struct {
	Plugin   string   // its name
	Version  string   // its own version, if it has one
	SDK      string   // what it was built with
	Wire     int      // wire version
	Tasks    []string // handlers, sorted
	Template bool     // it takes its arguments as a template that each task fills in
}

// Describe starts one worker of a plugin, asks what it serves, and stops it. A plugin that
// cannot be started gives a *StartError.
func Describe(ctx context.Context, p PoolConfig, logger hclog.Logger) (Description, error) {
	p.Workers = 1
	p.Tasks = nil
	s, err := New(Config{Pools: []PoolConfig{p}, Logger: logger})
	if err != nil {
		return Description{}, err
	}
	defer s.Close()
	s.aside = true
	if err := s.Start(); err != nil {
		return Description{}, err
	}
	if err := s.WaitReady(ctx); err != nil {
		return Description{}, err
	}
	r := s.pools()[0].pool.Serves()
	return Description{
		Plugin: r.Plugin, Version: r.Version, SDK: r.SDK, Wire: r.Wire, Tasks: r.Tasks, Template: r.Template,
	}, nil
}
