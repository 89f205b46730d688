package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/token"
	"github.com/hashicorp/go-hclog"
	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/server"
)

// serveSource is where the settings of a server come from: a config file, or the flags of one pool;
// and flags and variables that beat the file. It is read at the start and at each reload.
type serveSource struct {
	c    *urfave.Context // nil: there are no flags
	file string          // empty: there is no file
	home string          // the directory of the brood executable
}

// newServeSource decides which of the two it is.
func newServeSource(c *urfave.Context) (*serveSource, error) {
	dir, err := home()
	if err != nil {
		return nil, err
	}
	s := &serveSource{c: c, file: c.String("config"), home: dir}
	if s.file == "" && !c.IsSet("plugin") {
		s.file = os.Getenv("BROOD_CONFIG")
	}
	if s.file == "" {
		return s, nil
	}
	for _, g := range newPoolOptions("").groups() {
		for _, one := range g.settings {
			if c.IsSet(one.name) {
				return nil, usageErrorf("--%s is about one pool and has no effect with a config file: write %s below its pool in %s", one.name, one.key(), s.file)
			}
		}
	}
	return s, nil
}

// serving is a configuration that has been read and looked at.
type serving struct {
	*serveOptions
	pools  []supervisor.PoolConfig // with their plugins found, and their tasks
	tokens []server.Token
}

// load reads everything. It starts a worker of each plugin to ask what it serves. before are the pools
// that are served now, if any: a plugin that cannot be asked any more keeps their tasks, and
// is left to a reload that is rolled back.
func (s *serveSource) load(ctx context.Context, logger hclog.Logger, before []supervisor.PoolConfig) (*serving, error) {
	o, errs, err := s.read()
	if err != nil {
		return nil, err
	}
	out := &serving{serveOptions: o}
	for _, p := range o.pools {
		if p.plugin == "" {
			continue // which has been said
		}
		f := finder{fileErrors: errs, file: s.file, home: s.home, logger: logger, before: before}
		if config, ok := f.find(ctx, p); ok {
			out.pools = append(out.pools, config)
		}
		if ctx.Err() != nil {
			return nil, exitCode(exitInterrupted)
		}
	}
	if len(out.pools) == len(o.pools) {
		distinctTasks(errs, o.pools, out.pools)
	}
	if before == nil && len(errs.all) == 0 {
		out.tokens = o.readTokens(errs)
	}
	return out, errs.err()
}

// read returns the settings, and what is wrong with the file that some of them are from.
func (s *serveSource) read() (*serveOptions, *fileErrors, error) {
	o, errs := newServeOptions(), &fileErrors{path: s.file}
	if s.file != "" {
		raw, private, err := readConfigFile(s.file)
		if err != nil {
			return nil, nil, usageErrorf("config file: %v", err)
		}
		errs = &parseServeFile(s.file, raw, private, o).fileErrors
	} else if s.c != nil {
		p, err := s.flagPool()
		if err != nil {
			return nil, nil, err
		}
		o.pools = []*poolOptions{p}
	}
	if s.c == nil {
		return o, errs, nil
	}
	for _, section := range o.sections() {
		for _, one := range section.all {
			if err := one.resolve(s.c, nil); err != nil {
				return nil, nil, err
			}
		}
	}
	if err := o.tokenSetting().resolve(s.c, nil); err != nil {
		return nil, nil, err
	}
	if strings.Contains(s.c.String("nats"), "@") {
		return nil, nil, usageErrorf("--nats: everybody on this machine can read a password in the arguments: use --nats-credentials, or the variable BROOD_NATS")
	}
	if len(errs.all) == 0 {
		if _, err := o.check(); err != nil {
			return nil, nil, usageErrorf("%v", err)
		}
	}
	return o, errs, nil
}

// readConfigFile says too whether others can read the file.
func readConfigFile(path string) (raw []byte, private bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, false, err
	}
	const most = 4 << 20
	if info.Size() > most {
		return nil, false, fmt.Errorf("%s is %d bytes, more than any config file should be", path, info.Size())
	}
	raw, err = os.ReadFile(path)
	return raw, info.Mode().Perm()&0o077 == 0, err
}

// flagPool is the one pool of --plugin.
func (s *serveSource) flagPool() (*poolOptions, error) {
	p := newPoolOptions("")
	for _, g := range p.groups() {
		for _, one := range g.settings {
			if err := one.resolve(s.c, nil); err != nil {
				return nil, err
			}
		}
	}
	if p.plugin == "" {
		return nil, usageErrorf("say what to serve: --plugin PATH|NAME, or --config FILE for more; %q lists plugins", "brood plugins")
	}
	if err := p.check(); err != nil {
		return nil, usageErrorf("%v", err)
	}
	p.name = strings.TrimPrefix(filepath.Base(p.plugin), pluginPrefix)
	return p, nil
}

// readTokens reads the tokens where they are.
func (o *serveOptions) readTokens(errs *fileErrors) []server.Token {
	var all []server.Token
	for i := range o.tokens {
		t, err := o.tokens[i].resolve()
		if err != nil {
			errs.add(o.tokens[i].at, "tokens.%s: %v", o.tokens[i].name, err)
			continue
		}
		all = append(all, t)
	}
	var whole *tokenOptions
	switch {
	case o.tokenFile != "":
		whole = &tokenOptions{name: "token-file", role: "admin", file: o.tokenFile}
	case os.Getenv("BROOD_TOKEN") != "":
		whole = &tokenOptions{name: "BROOD_TOKEN", role: "admin", variable: "BROOD_TOKEN"}
	default:
		return all
	}
	t, err := whole.resolve()
	if err != nil {
		errs.add(nil, "token: %v", err)
	}
	return append(all, t)
}

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
	d, err := supervisor.Describe(ctx, config, f.logger)
	if err != nil {
		i := slices.IndexFunc(f.before, func(old supervisor.PoolConfig) bool { return old.Name == p.name })
		if i < 0 {
			f.cannot(at, "%s: %v", place, err)
			return config, false
		}
		if len(config.Tasks) == 0 {
			config.Tasks = f.before[i].Tasks
		}
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
