package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/hashicorp/go-hclog"
	urfave "github.com/urfave/cli/v2"

	"github.com/brood-run/brood/cmd/internal/serve"
	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/jetstream"
	"github.com/brood-run/brood/supervisor/broker/memory"
	"github.com/brood-run/brood/supervisor/server"
)

func serveCommand(std Streams) *urfave.Command {
	config := &urfave.StringFlag{Name: "config"}
	groups := newServeOptions().groups(newPoolOptions(""))
	return &urfave.Command{
		Name:               "serve",
		Usage:              "serve tasks over the network, and keep them until they are done",
		UsageText:          "brood serve --plugin PATH|NAME [options]\n   brood serve --config FILE [options]",
		Description:        serveDescription,
		HideHelpCommand:    true,
		CustomHelpTemplate: helpTemplate(groups, serveConfigHelp),
		OnUsageError:       onUsageError,
		Flags:              append([]urfave.Flag{config}, flags(groups)...),
		Action: func(c *urfave.Context) error {
			if c.Args().Present() {
				return usageErrorf("%q: tasks are given to a server by %q, and arguments to its plugin by --args", c.Args().First(), "brood submit")
			}
			return serveUntilStopped(c, std)
		},
	}
}

func serveUntilStopped(c *urfave.Context, std Streams) error {
	source, err := newServeSource(c)
	if err != nil {
		return err
	}
	spool := serve.NewSpool(std.Err) // a terminal that stalls must not stop the tasks
	defer spool.Close()
	out := &progress{out: spool} // makes what plugins print harmless
	sig := serve.Catch()
	defer sig.Release()
	var s *serving
	stopped, err := sig.Until(c.Context, func(ctx context.Context) (err error) {
		s, err = source.load(ctx, hclog.NewNullLogger(), nil)
		return err
	})
	if stopped {
		fmt.Fprintln(out, "brood: stopped during the start")
		return nil
	}
	if err != nil {
		return err
	}
	if s.logFormat == "json" {
		spool.JSON()
	}
	dir, err := s.dataDirectory()
	if err != nil {
		return err
	}
	logger := serveLogger(s.serveOptions, out)
	err = serve.Run(c.Context, sig, serve.Config{
		Open:    func(ctx context.Context) (broker.Broker, error) { return s.open(ctx, dir, logger) },
		Server:  s.server(logger, source),
		Started: func(at net.Addr) { s.announce(out, logger, at, dir) },
		Grace:   s.grace,
		Logger:  logger,
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, serve.ErrInterrupted):
		return exitCode(exitInterrupted)
	}
	return s.named(err)
}

func serveLogger(o *serveOptions, out *progress) hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{
		Name: "brood", Level: hclog.LevelFromString(o.logLevel), Output: out, JSONFormat: o.logFormat == "json",
	})
}

// open opens what keeps the tasks.
func (s *serving) open(ctx context.Context, dir string, logger hclog.Logger) (broker.Broker, error) {
	if s.memory {
		return memory.New(memory.Config{LeaseTime: s.lease, QueueSize: s.queueSize, ResultTTL: s.resultTTL}), nil
	}
	config := jetstream.Config{
		Sync: s.sync, LeaseTime: s.lease, ResultTTL: s.resultTTL, QueueSize: s.queueSize,
		Replicas: s.replicas, Namespace: s.namespace, Logger: logger.Named("nats"),
	}
	if s.nats != "" {
		config.URL, config.CredentialsFile = s.nats, s.credentials
	} else {
		config.Dir = dir
	}
	b, err := jetstream.Open(ctx, config)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// acceptable has the server look at everything but what it would open.
func (s *serving) acceptable() error {
	config := s.server(hclog.NewNullLogger(), nil)
	config.Supervisor.Broker = memory.New(memory.Config{})
	defer config.Supervisor.Broker.Close()
	srv, err := server.New(config)
	if err != nil {
		return s.named(err)
	}
	return srv.Close()
}

// server is what to serve, and how to read it again.
func (s *serving) server(logger hclog.Logger, source *serveSource) server.Config {
	grace := s.grace
	if grace == 0 {
		grace = -1 // the library takes zero for its default
	}
	l := s.limits
	return server.Config{
		Supervisor: supervisor.Config{
			Pools: s.pools, MaxPayload: s.maxPayload, GracePeriod: grace, ReapOrphans: true, Logger: logger,
		},
		API: server.API{
			Address: s.listen, TLSCert: s.tlsCert, TLSKey: s.tlsKey, Insecure: s.insecure, Tokens: s.tokens,
			MaxBody: l.body, MaxBatch: l.batch, MaxWaits: l.waits, MaxStreams: l.streams, MaxConnections: l.connections,
			RatePerToken: l.rate, WaitLimit: l.wait,
		},
		Reload: func(ctx context.Context) (server.Settings, error) { return s.again(ctx, source, logger) },
		Logger: logger,
	}
}

// again reads the configuration for a reload, and says what takes a restart.
func (s *serving) again(ctx context.Context, source *serveSource, logger hclog.Logger) (server.Settings, error) {
	next, err := source.load(ctx, logger, s.pools)
	if err != nil {
		return server.Settings{}, err
	}
	// What has changed besides is for the next start, and not looked at.
	now := *next
	now.serveOptions = &serveOptions{serverSettings: s.serverSettings, tokenFile: next.tokenFile, tokens: next.serveOptions.tokens, pools: next.serveOptions.pools}
	if err := now.acceptable(); err != nil {
		return server.Settings{}, err
	}
	out := server.Settings{Pools: next.pools, Tokens: next.tokens, Restart: s.differences(next.serverSettings)}
	if len(out.Restart) > 0 {
		logger.Warn("settings have changed that take effect after a restart only", "settings", strings.Join(out.Restart, ", "))
	}
	return out, nil
}
