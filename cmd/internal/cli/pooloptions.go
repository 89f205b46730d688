package cli

import (
	"slices"

	"github.com/goccy/go-yaml/token"

	"github.com/brood-run/brood/supervisor"
)

// poolOptions are the settings of one pool of a server: those of `brood run` that concern workers.
type poolOptions struct {
	*options
	name  string
	args  []string
	tasks []string

	at       *token.Token   // its name in the config file; nil without one
	pluginAt *token.Token   // of plugin
	taskAt   []*token.Token // of tasks
}

func newPoolOptions(name string) *poolOptions {
	return &poolOptions{options: newOptions(), name: name}
}

// groups lists every setting of a pool, bound to p's fields.
func (p *poolOptions) groups() []group {
	// A grace period is for all pools together.
	workers := slices.DeleteFunc(p.workerSettings(), func(s setting) bool { return s.name == "grace-period" })
	return []group{
		{"Plugin", []setting{
			{"plugin", "`PATH|NAME` of the program that serves the tasks; a name is looked up beside brood", "", single, text(&p.plugin)},
			{"args", "`ARGUMENT` of the plugin's process; may be repeated", "", many, texts(&p.args)},
			{"tasks", "`NAME` of a task that the pool takes; may be repeated", "all that the plugin serves", many, texts(&p.tasks)},
		}},
		{"Workers", workers},
		{"Limits of a task", p.limitSettings()},
		{"Recycling of workers", p.recycleSettings()},
		{"Operating system", p.systemSettings()},
		{"Isolation", p.confineSettings()},
	}
}

// byKey is every setting by its key in the config file.
func (p *poolOptions) byKey() map[string]setting {
	m := make(map[string]setting)
	for _, g := range p.groups() {
		for _, s := range g.settings {
			m[s.key()] = s
		}
	}
	return m
}

// config is the pool as the library takes it, before its plugin has been found.
func (p *poolOptions) config() supervisor.PoolConfig {
	c := p.pool
	c.Name, c.Args, c.Tasks = p.name, p.args, p.tasks
	return c
}
