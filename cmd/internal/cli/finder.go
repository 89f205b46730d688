package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/token"
	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor"
)

// distinctTasks makes sure that each task has one pool.
func distinctTasks(errs *fileErrors, options []*poolOptions, pools []supervisor.PoolConfig) {
	owner := make(map[string]string)
	for i, p := range pools {
		for j, name := range p.Tasks {
			first, taken := owner[name]
			if !taken {
				owner[name] = p.Name
				continue
			}
			at := options[i].at
			if slices.Contains(options[i].tasks, name) && j < len(options[i].taskAt) {
				at = options[i].taskAt[j]
			}
			errs.add(at, "pools.%s: the task %q is served by the pool %s too: say in tasks which pool takes it", p.Name, name, first)
		}
	}
}

// finder finds the program of a pool and asks it what it serves.
type finder struct {
	*fileErrors
	file, home string
	logger     hclog.Logger
	before     []supervisor.PoolConfig
}

func (f finder) find(ctx context.Context, p *poolOptions) (supervisor.PoolConfig, bool) {
	config := p.config()
	place, at := "--plugin", p.at
	if f.file != "" {
		place = "pools." + p.name + ".plugin"
		if p.pluginAt != nil {
			at = p.pluginAt
		}
	}
	var err error
	if config.Plugin, err = locatePlugin(p.plugin, f.home); err != nil {
		f.cannot(at, "%s: %v", place, err)
		return config, false
	}
	if !isProgram(config.Plugin) {
		f.cannot(at, "%s: %s", place, notProgram(config.Plugin))
		return config, false
	}
	logger := f.logger
	if f.before != nil {
		logger = hclog.NewNullLogger() // the reload itself says what is wrong with a new plugin
	}
	d, err := supervisor.Describe(ctx, config, logger)
	known := f.served(p.name)
	switch {
	case errors.Is(err, supervisor.ErrConfig):
		f.refused(p, err)
		return config, false
	case err != nil && known == nil:
		f.cannot(at, "%s: %v", place, err)
		return config, false
	case len(config.Tasks) == 0 && len(missing(known, d.Tasks)) > 0: // the reload finds that out too, and is rolled back
		config.Tasks = known
		return config, true
	case err != nil:
		return config, true
	}
	ok := true
	for i, name := range config.Tasks {
		if !slices.Contains(d.Tasks, name) {
			var here *token.Token
			if i < len(p.taskAt) {
				here = p.taskAt[i]
			}
			f.add(here, "%s: %s", strings.TrimSuffix(place, "plugin")+"tasks", noSuchTask(name, p.plugin, d.Tasks))
			ok = false
		}
	}
	if len(config.Tasks) == 0 {
		config.Tasks = d.Tasks
	}
	return config, ok
}

// served are the tasks that a pool serves now, nil if there is no such pool.
func (f finder) served(pool string) []string {
	for _, p := range f.before {
		if p.Name == pool {
			return p.Tasks
		}
	}
	return nil
}

// missing are the tasks that are not among others.
func missing(tasks, others []string) []string {
	return slices.DeleteFunc(slices.Clone(tasks), func(name string) bool { return slices.Contains(others, name) })
}

// refused adds what the library says about a field of the one pool that it was given.
func (f finder) refused(p *poolOptions, err error) {
	field, wrong, _ := strings.Cut(strings.TrimPrefix(err.Error(), supervisor.ErrConfig.Error()+": pools[0]."), ": ")
	place, at := f.poolPlace(p, field)
	f.add(at, "%s: %s", place, wrong)
}

func noSuchTask(name, plugin string, serves []string) string {
	known := make(map[string]bool)
	for _, t := range serves {
		known[t] = true
	}
	return fmt.Sprintf("the plugin %s serves no task %q%s; it serves %s", plugin, name, suggestion(name, known), strings.Join(serves, ", "))
}

func notProgram(path string) string {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err.Error()
	case info.IsDir():
		return path + " is a directory"
	}
	return path + " is not an executable file"
}
