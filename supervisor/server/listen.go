package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/net/netutil"

	"github.com/brood-run/brood/supervisor/internal/httpapi"
)

// Limits of connections.
const (
	headerTime = 10 * time.Second // to send a request's header
	idleTime   = 2 * time.Minute  // between requests
	headerSize = 64 << 10         // bytes
	pingTime   = 30 * time.Second // between pings of a silent HTTP/2 connection
)

func (s *Server) newHTTP() *http.Server {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	h := &http.Server{
		Handler:           s.api.Handler(),
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    headerSize,
		Protocols:         protocols,
		// It would read the body of OPTIONS * without a deadline.
		DisableGeneralOptionsHandler: true,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: s.cfg.API.MaxStreams,
			SendPingTimeout:      pingTime,
			WriteByteTimeout:     s.cfg.API.StallLimit,
		},
		ErrorLog: s.cfg.Logger.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug}),
	}
	if s.cert != nil {
		h.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.cert.get}
	}
	return h
}

// listen opens the address.
func (s *Server) listen(ctx context.Context) (net.Listener, error) {
	network, address := s.cfg.API.network()
	if network == "unix" {
		if err := removeStale(address); err != nil {
			return nil, err
		}
	}
	var lc net.ListenConfig
	if network == "unix" {
		lc.Control = private
	}
	l, err := lc.Listen(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("api.address: %w", err)
	}
	if network == "unix" { // where private does not do it
		if err := os.Chmod(address, 0o600); err != nil {
			return nil, errors.Join(fmt.Errorf("api.address: %w", err), l.Close())
		}
	}
	l = netutil.LimitListener(l, s.cfg.API.MaxConnections)
	if s.cert != nil {
		s.http.TLSConfig.NextProtos = []string{"h2", "http/1.1"}
		l = tls.NewListener(l, s.http.TLSConfig)
	}
	return l, nil
}

// private keeps others from a socket that is about to be bound: whoever may open it may do everything. Linux gives its
// file the permissions that it has itself.
func private(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), 0o600) }) // other systems refuse
}

// removeStale removes a socket that a server has left that was killed.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return nil // listening says what is wrong with it
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		_ = conn.Close()
		return fmt.Errorf("api.address: another server listens on %s", path)
	}
	return os.Remove(path)
}

func (s *Server) apiConfig() httpapi.Config {
	a := &s.cfg.API
	cfg := httpapi.Config{
		Backend: s.supervisor, Broker: s.cfg.Supervisor.Broker, Reload: s.reloadAll,
		Tokens: a.Tokens, Logger: s.cfg.Logger,
		Limits: httpapi.Limits{
			MaxBody: a.MaxBody, MaxBuffered: a.MaxBuffered, MaxBatch: a.MaxBatch, MaxWaits: a.MaxWaits, MaxStreams: a.MaxStreams,
			RatePerToken: a.RatePerToken, WaitLimit: a.WaitLimit, Stall: a.StallLimit,
		},
	}
	if network, address := a.network(); network == "unix" {
		cfg.AnyHost = true
	} else if host, _, err := net.SplitHostPort(address); err == nil {
		cfg.Hosts = []string{host}
	}
	return cfg
}
