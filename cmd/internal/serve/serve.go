package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/server"
)

// Config says what to serve.
type Config struct {
	// Open opens the broker. It is closed when all has ended.
	Open func(ctx context.Context) (broker.Broker, error)
	// Server is complete but for the broker.
	Server server.Config
	// Started is called once the API is served.
	Started func(net.Addr)
	// Grace is how long running tasks may take to finish at a stop. It is that of Server.Supervisor, in
	// words for people.
	Grace  time.Duration
	Logger hclog.Logger
}

// ErrInterrupted: a second signal ended Run at once.
var ErrInterrupted = errors.New("interrupted")

// gcPercent trades memory for speed: 10 % less work for a task than with Go's own default of 100,
// for some 100 MB more under full load.
const gcPercent = 200

// Run serves until SIGTERM or SIGINT and returns nil once everything has ended in order. A second signal
// ends it at once. SIGHUP reloads; one that came during the start does it when the server serves.
func Run(ctx context.Context, sig *Signals, cfg Config) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	d := &run{cfg: cfg, signals: sig, manager: newManager(cfg.Logger), reloaded: make(chan struct{}, 1)}
	d.manager.starting()
	if stopped, err := d.start(ctx); stopped || err != nil {
		return err
	}
	return errors.Join(d.follow(ctx), d.close())
}

// run is one Run.
type run struct {
	cfg     Config
	signals *Signals
	manager *manager
	broker  broker.Broker
	server  *server.Server

	reloading bool // a reload is under way
	again     bool // and another was asked for meanwhile
	reloaded  chan struct{}
}

// start opens the broker and serves, unless it is stopped before. If it does not serve nothing is left running.
func (d *run) start(ctx context.Context) (stopped bool, err error) {
	stopped, err = d.signals.Until(ctx, func(ctx context.Context) (err error) {
		d.broker, err = d.cfg.Open(ctx)
		return err
	})
	if stopped {
		d.cfg.Logger.Info("stopped during the start")
		return true, d.close()
	}
	if err != nil {
		return false, err
	}
	return false, d.serve(ctx)
}

// serve starts the server.
func (d *run) serve(ctx context.Context) (err error) {
	d.cfg.Server.Supervisor.Broker = d.broker
	d.server, err = server.New(d.cfg.Server)
	if err != nil {
		return errors.Join(err, d.close())
	}
	if err := d.server.Start(ctx); err != nil {
		return errors.Join(err, d.close())
	}
	d.cfg.Started(d.server.Addr())
	d.manager.ready(d.status())
	return nil
}

// close lets go of the broker.
func (d *run) close() error {
	if d.broker == nil {
		return nil
	}
	return d.broker.Close()
}

// follow does what signals say until the server has ended.
func (d *run) follow(ctx context.Context) error {
	reloadCtx, cancel := context.WithCancel(ctx)
	defer d.await()
	defer cancel()
	tick, stop := d.manager.tick()
	defer stop()
	for {
		select {
		case <-d.signals.stop:
			cancel()
			return d.stop(ctx)
		case <-ctx.Done():
			cancel()
			return d.stop(context.WithoutCancel(ctx))
		case <-d.server.Done():
			return errors.Join(errors.New("the server has ended by itself"), d.server.Err())
		case <-d.signals.reload:
			d.reload(reloadCtx)
		case <-d.reloaded:
			d.reloading = false
			d.manager.ready(d.status())
			if d.again {
				d.again = false
				d.reload(reloadCtx)
			}
		case <-tick:
			// The figures are asked of every pool: a daemon that is stuck does not get here.
			d.manager.alive(d.status())
		}
	}
}

// reload has the server read its configuration again, without keeping signals waiting.
func (d *run) reload(ctx context.Context) {
	if d.reloading {
		d.again = true
		return
	}
	d.reloading = true
	d.manager.reloading()
	d.cfg.Logger.Info("reloading")
	go func() {
		switch err := d.server.Reload(ctx); {
		case err != nil && ctx.Err() == nil:
			d.cfg.Logger.Error("not reloaded, everything goes on as before: " + err.Error()) // of many lines, perhaps
		case err == nil:
			d.cfg.Logger.Info("reloaded")
		}
		d.reloaded <- struct{}{}
	}()
}

// await waits for a reload that is under way.
func (d *run) await() {
	if d.reloading {
		<-d.reloaded
	}
}

// stop drains. Another signal ends that.
func (d *run) stop(ctx context.Context) error {
	running := d.server.Supervisor().Snapshot().Running
	status := fmt.Sprintf("stopping: %s may finish within %v, what is left goes back to the queue", tasks(running), d.cfg.Grace)
	d.manager.stopping(d.cfg.Grace, status)
	d.cfg.Logger.Info(status + "; a second signal ends it now")
	ctx, now := context.WithCancelCause(ctx)
	defer now(nil)
	ended := make(chan error, 1)
	go func() { ended <- d.server.Stop(ctx) }()
	for {
		select {
		case <-d.signals.stop:
			d.cfg.Logger.Warn("stopping now")
			now(ErrInterrupted)
		case err := <-ended:
			if err == nil {
				d.cfg.Logger.Info("stopped")
			}
			return err
		}
	}
}

// status is a line for the service manager.
func (d *run) status() string {
	s := d.server.Supervisor().Snapshot()
	workers := 0
	degraded := ""
	for _, p := range s.Pools {
		workers += len(p.Workers)
		if p.Degraded != "" {
			degraded = fmt.Sprintf("; %s is degraded", p.Name)
		}
	}
	line := fmt.Sprintf("%d pools, %d workers, %s running%s", len(s.Pools), workers, tasks(s.Running), degraded)
	if err := d.broker.Health(); err != nil {
		line += "; " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return line
}

func tasks(n int) string {
	if n == 1 {
		return "1 task"
	}
	return fmt.Sprintf("%d tasks", n)
}
