package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

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

	secrets map[string]string // variables that are read once: then they are taken out of the environment
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

	source *serveSource
	file   *fileErrors // where its keys are
}

// load reads everything. It starts a worker of each plugin to ask what it serves. before are the pools
// that are served now, if any: a plugin that cannot be asked any more keeps their tasks, and
// is left to a reload that is rolled back.
func (s *serveSource) load(ctx context.Context, logger hclog.Logger, before []supervisor.PoolConfig) (*serving, error) {
	o, errs, err := s.read()
	if err != nil {
		return nil, err
	}
	out := &serving{serveOptions: o, source: s, file: errs}
	for _, name := range o.tokenVariables() {
		s.secret(name) // the workers that are asked now inherit the others
	}
	if len(errs.all) == 0 {
		out.tokens = o.readTokens(s.secret, errs)
	}
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
	return out, errs.err()
}

// Variables that hold secrets, whatever the config file says.
const (
	tokenVariable = "BROOD_TOKEN"
	natsVariable  = "BROOD_NATS"
)

// secret reads a variable and takes it out of the environment, which workers inherit. It is remembered for
// reloads, which do not overlap.
func (s *serveSource) secret(name string) string {
	value, known := s.secrets[name]
	if known {
		return value
	}
	if s.secrets == nil {
		s.secrets = map[string]string{}
	}
	s.secrets[name] = os.Getenv(name)
	os.Unsetenv(name)
	return s.secrets[name]
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
	secrets := map[string]given{}
	if url := s.secret(natsVariable); url != "" {
		secrets["nats"] = given{"the variable " + natsVariable, []string{url}}
	}
	for _, section := range o.sections() {
		for _, one := range section.all {
			if err := one.resolve(s.c, secrets); err != nil {
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
