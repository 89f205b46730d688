package server

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/internal/httpapi"
)

// Reload reads the files of TLS again and, with Config.Reload, the pools, and has the supervisor replace
// workers one by one. What is bad is not put to use, and the error says why; it wraps a
// *supervisor.ReloadError for each pool that was rolled back.
func (s *Server) Reload(ctx context.Context) error {
	_, err := s.reload(ctx)
	return err
}

// reloadPools is Reload as the API puts it: a pool that was rolled back is an answer, not an error.
func (s *Server) reloadPools(ctx context.Context) ([]httpapi.Reloaded, error) {
	done, err := s.reload(ctx)
	if rolledBack := new(supervisor.ReloadError); errors.As(err, &rolledBack) {
		return done, nil
	}
	return done, err
}

func (s *Server) reload(ctx context.Context) ([]httpapi.Reloaded, error) {
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
	before := s.supervisor.Snapshot()
	err = s.supervisor.Reload(ctx, pools)
	done := s.outcomes(before, s.supervisor.Snapshot(), pools)
	return done, err
}

// outcomes tells what became of each pool: one with other settings, or with workers that are new, was
// reloaded.
func (s *Server) outcomes(before, after supervisor.Snapshot, pools []supervisor.PoolConfig) []httpapi.Reloaded {
	were := map[string]bool{}
	for _, p := range before.Pools {
		for _, w := range p.Workers {
			were[w.Name] = true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []httpapi.Reloaded
	for _, p := range after.Pools {
		r := httpapi.Reloaded{Pool: p.Name, Outcome: "unchanged", Message: p.Reload}
		for _, w := range p.Workers {
			if !were[w.Name] {
				r.Outcome = "reloaded"
			}
		}
		i := slices.IndexFunc(pools, func(c supervisor.PoolConfig) bool { return c.Name == p.Name })
		switch {
		case p.Reload != "":
			r.Outcome = "rolled_back"
		case i >= 0 && !reflect.DeepEqual(s.pools[p.Name], pools[i]):
			r.Outcome = "reloaded"
			s.pools[p.Name] = pools[i]
		}
		out = append(out, r)
	}
	return out
}
