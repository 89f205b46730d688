package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/internal/httpapi"
)

// Server is a supervisor with an API. Create it with New.
type Server struct {
	cfg        Config
	supervisor *supervisor.Supervisor
	api        *httpapi.API
	http       *http.Server
	cert       *certificate // nil without TLS

	reading sync.Mutex // held while settings are read again

	mu       sync.Mutex // guards what follows
	listener net.Listener
	err      error                            // why serving ended by itself
	pools    map[string]supervisor.PoolConfig // by name, as they were given last

	live   context.Context // ends when Stop begins
	end    context.CancelFunc
	stop   sync.Once
	served chan struct{} // closed when no more connections are accepted
	done   chan struct{} // closed when everything has ended
}

// New returns a Server that does nothing yet. The error wraps ErrConfig, or supervisor.ErrConfig,
// and names the field that is wrong.
func New(cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	cert, err := loadCertificate(cfg.API.TLSCert, cfg.API.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("%w: api.tls_cert: %w", ErrConfig, err)
	}
	sup, err := supervisor.New(cfg.Supervisor)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, supervisor: sup, cert: cert,
		served: make(chan struct{}), done: make(chan struct{}), pools: map[string]supervisor.PoolConfig{},
	}
	s.live, s.end = context.WithCancel(context.Background())
	for _, p := range cfg.Supervisor.Pools {
		s.pools[p.Name] = p
	}
	s.api = httpapi.New(s.apiConfig())
	s.http = s.newHTTP()
	return s, nil
}

// Supervisor returns the supervisor, for what the API does not offer.
func (s *Server) Supervisor() *supervisor.Supervisor { return s.supervisor }

// Start listens, starts the supervisor and returns; it does not wait for workers. ctx bounds only
// this call. If it fails, nothing is left running.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return supervisor.ErrStarted
	}
	l, err := s.listen(ctx)
	if err != nil {
		return err
	}
	if err := s.supervisor.Start(); err != nil {
		return errors.Join(err, l.Close())
	}
	s.listener = l
	go s.serve(l)
	return nil
}

// serve accepts connections until the listener is closed.
func (s *Server) serve(l net.Listener) {
	defer close(s.served)
	err := s.http.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		return
	}
	s.mu.Lock()
	s.err = fmt.Errorf("serve %s: %w", l.Addr(), err)
	s.mu.Unlock()
	s.cfg.Logger.Error("the API has stopped", "error", err)
	s.begin()
}

// Addr is the address that is listened on; nil before Start.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Stop ends the server: /readyz says so, waits and streams end, no more connections are accepted,
// and the supervisor stops as its own Stop does, which lets running tasks finish for the grace period.
// When ctx ends, so does its patience: what still runs is killed and given back to the broker. Tasks
// can be submitted until the end of that. Idempotent; the error is ctx's, or Err's.
func (s *Server) Stop(ctx context.Context) error {
	s.begin()
	select {
	case <-s.done:
	case <-ctx.Done():
		return errors.Join(context.Cause(ctx), s.Close())
	}
	return s.Err()
}

// Close is Stop without patience.
func (s *Server) Close() error {
	s.begin()
	err := s.supervisor.Close()
	<-s.done
	return errors.Join(err, s.Err())
}

// Done is closed when everything has ended.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err says why the server ended by itself; nil if it did not.
func (s *Server) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *Server) begin() { s.stop.Do(func() { go s.shutdown() }) }

// hangUp is how long answers that are on their way may take when everything else has ended.
const hangUp = 5 * time.Second

// shutdown ends waits, then the supervisor, then the connections.
func (s *Server) shutdown() {
	defer close(s.done)
	s.end()
	s.api.Stop()
	if err := s.supervisor.Stop(context.Background()); err != nil {
		s.cfg.Logger.Warn("the supervisor did not stop in order", "error", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), hangUp)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close() // of connections, which are given up
	}
	if s.Addr() != nil {
		<-s.served
	}
}
