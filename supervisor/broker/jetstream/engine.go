package jetstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/nats-io/nats-server/v2/server"
)

const (
	// startTimeout is how long an embedded server may take to read what it keeps. A million tasks take
	// a few seconds.
	startTimeout = 5 * time.Minute
	// firstRestart and lastRestart bound how long a server that cannot write is left alone.
	firstRestart = 500 * time.Millisecond
	lastRestart  = 4 * time.Second
	// spareDisk is how many bytes must be free for a server to be started: with less it would soon be where it was.
	spareDisk = 1 << 20
)

// engine is a NATS server inside of this process. Its connections are pipes in memory. A server that
// could not write a file has given up the stream, or JetStream altogether, for good: the engine replaces it.
type engine struct {
	cfg    Config
	log    hclog.Logger
	lock   *os.File
	cancel context.CancelFunc
	done   chan struct{} // closed when watch has ended

	replaced atomic.Uint64 // how often a server was replaced by another

	mu     sync.Mutex
	server *server.Server
	said   *serverLog // by the server
	down   error      // why there is no server; nil while there is one
	unsure bool       // what is stored of pools was damaged: pauses and marks may be lost
	lost   []string   // subjects of them that could still be read
}

func startEngine(cfg Config) (*engine, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	lock, err := lockDir(cfg.Dir)
	if err != nil {
		return nil, err
	}
	e := &engine{cfg: cfg, log: cfg.Logger.Named("nats"), lock: lock, done: make(chan struct{})}
	if e.server, e.said, err = e.start(); err != nil {
		unlockDir(lock)
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	e.cancel = cancel
	go e.watch(ctx)
	return e, nil
}

// start starts a server on the data directory.
func (e *engine) start() (*server.Server, *serverLog, error) {
	if err := writable(e.cfg.Dir); err != nil {
		return nil, nil, err
	}
	if err := e.mend(); err != nil {
		return nil, nil, err
	}
	proper, err := takeStop(e.cfg.Dir)
	if err != nil {
		return nil, nil, err
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "brood", DontListen: true, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: e.cfg.Dir,
		SyncInterval: max(e.cfg.Sync, 0), SyncAlways: e.cfg.Sync < 0,
		MaxPayload: int32(e.cfg.MaxMessage), MaxPending: 4 * mostMessage,
		// Almost every subject is used once: remembering who listens to it costs more than finding out.
		NoSublistCache: true,
		// What is stored is bounded by what the streams may hold and by the disk itself.
		JetStreamMaxStore: 1 << 60, JetStreamMaxMemory: 1 << 30,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("embedded server on %s: %w", e.cfg.Dir, err)
	}
	log := &serverLog{log: e.log, exact: proper}
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	if log.gaveUp() || !s.ReadyForConnections(startTimeout) || !s.JetStreamEnabled() {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, nil, fmt.Errorf("embedded server on %s: %w", e.cfg.Dir, log.failure())
	}
	return s, log, nil
}

// InProcessConn implements nats.InProcessConnProvider: each attempt to connect gets whatever server
// there is.
func (e *engine) InProcessConn() (net.Conn, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.server == nil {
		return nil, e.down
	}
	return e.server.InProcessConn()
}

// health is nil while there is a server that can write.
func (e *engine) health() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.server == nil {
		return e.down
	}
	return e.trouble()
}

// trouble is why the server that there is cannot write. Requires mu.
func (e *engine) trouble() error {
	err := e.said.writeError()
	if err == nil && e.server.JetStreamEnabled() {
		return nil
	}
	cause := ""
	if err != nil {
		cause = fmt.Sprintf(" (%v)", err)
	}
	return fmt.Errorf("cannot write to %s%s; free some space or repair it, it is tried again by itself", e.cfg.Dir, cause)
}

// watch replaces a server that has given up, until ctx ends.
func (e *engine) watch(ctx context.Context) {
	defer close(e.done)
	look := time.NewTicker(firstRestart / 2)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C: // the server tells nobody but its own clients, which it is about to lose
		}
		e.mu.Lock()
		s, err := e.server, e.trouble()
		e.mu.Unlock()
		if err != nil && !e.replace(ctx, s, err) {
			return
		}
	}
}

// replace ends a server and starts another, as often as it takes. It is false when ctx ended first.
func (e *engine) replace(ctx context.Context, s *server.Server, why error) bool {
	e.mu.Lock()
	e.server, e.down = nil, why
	e.mu.Unlock()
	e.replaced.Add(1)
	e.log.Error("the embedded server is restarted", "error", why)
	s.Shutdown()
	s.WaitForShutdown()
	told := ""
	for wait := firstRestart; ; wait = min(2*wait, lastRestart) {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
		next, said, err := e.start()
		e.mu.Lock()
		e.server, e.said, e.down = next, said, err
		e.mu.Unlock()
		if err == nil {
			e.log.Info("the embedded server is back", "dir", e.cfg.Dir)
			return true
		}
		if told != err.Error() {
			told = err.Error()
			e.log.Error("the embedded server cannot be restarted yet, it is tried again by itself", "error", err)
		}
	}
}

func (e *engine) stop() {
	e.cancel()
	<-e.done
	e.mu.Lock()
	s, said := e.server, e.said
	sound := s != nil && e.trouble() == nil
	e.server, e.down = nil, errors.New("the broker is closed")
	e.mu.Unlock()
	if s != nil {
		s.Shutdown()
		s.WaitForShutdown()
	}
	if sound && said.writeError() == nil {
		if err := noteStop(e.cfg.Dir); err != nil { // the next start hears less of what is missing
			e.log.Debug("it could not be noted that the embedded server was stopped properly", "error", err)
		}
	}
	unlockDir(e.lock)
}

// writable tries a data directory out. A server that finds out by itself says less about it.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return fmt.Errorf("data directory is not writable: %w", err)
	}
	_, err = f.Write(make([]byte, spareDisk))
	err = cmp.Or(err, f.Sync(), f.Close())
	err = cmp.Or(err, os.Remove(f.Name()))
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // the name of the file says nothing
	}
	if err != nil {
		return fmt.Errorf("data directory %s is not writable: %w", filepath.Clean(dir), err)
	}
	return nil
}
