package jetstream

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/brood-run/brood/supervisor/broker"
)

// session is the connection to a server, embedded or not, and what is always there on it.
type session struct {
	cfg    Config
	names  names
	engine *engine // nil for a remote server
	nc     *nats.Conn
	peers  *nats.Conn // to other brokers on a remote server, not to ourselves; nil for an embedded one
	js     jetstream.JetStream
	line   *line
	*publisher

	replicated  atomic.Bool   // some stream is kept by several servers: they may answer differently
	reconnected chan struct{} // gets a value, if it has room, after each reconnection

	mu   sync.Mutex
	lost time.Time // since when there is no connection; zero while there is one
	why  error
	back time.Time // when there was one again, after one was lost
}

func newSession(cfg Config) (*session, error) {
	s := &session{cfg: cfg, names: names(cfg.Namespace), line: newLine(), reconnected: make(chan struct{}, 1)}
	if cfg.Dir != "" {
		var err error
		if s.engine, err = startEngine(cfg); err != nil {
			return nil, fmt.Errorf("jetstream: %w", err)
		}
	}
	if err := s.connect(); err != nil {
		s.close()
		return nil, fmt.Errorf("jetstream: %w", err)
	}
	return s, nil
}

func (s *session) connect() error {
	options := append(s.identity(),
		nats.Name("brood"), nats.MaxReconnects(-1), nats.ReconnectWait(250*time.Millisecond), nats.ReconnectJitter(100*time.Millisecond, 250*time.Millisecond),
		nats.Timeout(s.cfg.Timeout), nats.PingInterval(5*time.Second), nats.MaxPingsOutstanding(2), nats.DrainTimeout(s.cfg.Timeout),
		// What is written while there is no connection fails at once: nobody may take a buffer for a server.
		nats.ReconnectBufSize(-1),
		// A server that turns us down may have been told the wrong thing, and be told the right one.
		nats.IgnoreAuthErrorAbort(),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { s.cfg.Logger.Warn("nats", "error", err) }),
	)
	if s.engine != nil {
		options = append(options, nats.InProcessServer(s.engine))
	}
	var err error
	if s.nc, err = nats.Connect(s.cfg.URL, append(options, s.watched()...)...); err != nil {
		return fmt.Errorf("connect to %s: %w", s.where(), err)
	}
	if s.engine == nil {
		if s.peers, err = nats.Connect(s.cfg.URL, append(options, nats.NoEcho(), nats.ReconnectHandler(func(*nats.Conn) { s.tellReconnected() }))...); err != nil {
			return fmt.Errorf("connect to %s: %w", s.where(), err)
		}
	}
	if s.js, err = jetstream.New(s.nc, jetstream.WithDefaultTimeout(s.cfg.Timeout)); err != nil {
		return err
	}
	s.publisher, err = newPublisher(s.nc, s.line, s.cfg.Timeout)
	return err
}

// watched tells the session what becomes of its connection.
func (s *session) watched() []nats.Option {
	return []nats.Option{
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { s.disconnected(err) }),
		nats.ReconnectHandler(func(*nats.Conn) { s.connected() }),
	}
}

func (s *session) identity() []nats.Option {
	var options []nats.Option
	if s.cfg.User != "" {
		options = append(options, nats.UserInfo(s.cfg.User, s.cfg.Password))
	}
	if s.cfg.Token != "" {
		options = append(options, nats.Token(s.cfg.Token))
	}
	if s.cfg.CredentialsFile != "" {
		options = append(options, nats.UserCredentials(s.cfg.CredentialsFile))
	}
	if s.cfg.TLS != nil {
		options = append(options, nats.Secure(s.cfg.TLS))
	}
	return options
}

// where names the server for people.
func (s *session) where() string {
	if s.engine != nil {
		return s.cfg.Dir
	}
	return strings.Join(s.cfg.servers(), ",")
}

func (s *session) disconnected(err error) {
	s.line.broken()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost.IsZero() {
		s.lost, s.why = time.Now(), err
	}
	if !s.nc.IsClosed() {
		s.cfg.Logger.Error("the connection to the broker is lost", "server", s.where(), "error", err)
	}
}

func (s *session) connected() {
	s.mu.Lock()
	away := time.Since(s.lost)
	s.lost, s.why, s.back = time.Time{}, nil, time.Now()
	s.mu.Unlock()
	s.cfg.Logger.Info("the connection to the broker is back", "server", s.where(), "away", away)
	s.tellReconnected()
}

func (s *session) tellReconnected() {
	select {
	case s.reconnected <- struct{}{}:
	default:
	}
}

// backSince is how long ago a connection was there again that had been lost.
func (s *session) backSince() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.back)
}

// health is nil while the server can be reached and can write.
func (s *session) health() error {
	if s.nc.IsClosed() {
		return broker.ErrClosed
	}
	if s.engine != nil {
		if err := s.engine.health(); err != nil {
			return unavailable(err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.lost.IsZero() {
		cause := s.why
		if cause == nil {
			cause = errors.New("the connection ended")
		}
		return unavailable(fmt.Errorf("%s is out of reach since %v: %w", s.where(), time.Since(s.lost).Round(time.Second), cause))
	}
	return nil
}

// cause is the error of a call; while the embedded server is down or cannot write, it is that which is told, and not what
// its clients see of it.
func (s *session) cause(err error) error {
	switch {
	case s.engine == nil || !errors.Is(err, broker.ErrUnavailable):
		return err
	case s.nc.IsClosed():
		return broker.ErrClosed
	}
	if wrong := s.engine.health(); wrong != nil {
		return unavailable(wrong)
	}
	return err
}

func (s *session) close() {
	for _, nc := range []*nats.Conn{s.peers, s.nc} {
		if nc == nil {
			continue
		}
		closed := nc.StatusChanged(nats.CLOSED)
		if !nc.IsClosed() { // by itself, which says nothing any more
			nc.Close()
			<-closed
		}
	}
	if s.engine != nil {
		s.engine.stop()
	}
}

// replicas decides how often each stream is kept.
func (s *session) replicas() int {
	if s.cfg.Replicas != 0 {
		return s.cfg.Replicas
	}
	if s.nc.ConnectedClusterName() == "" || len(s.nc.Servers()) < 3 {
		return 1
	}
	return 3
}
