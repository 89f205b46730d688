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

// Reload reads the files of TLS again and, with Config.Reload, the tokens and the pools, and has the supervisor
// replace workers one by one. What is bad is not put to use, and the error says why; it wraps a
// *supervisor.ReloadError for each pool that was rolled back. A token that is gone is refused from then
// on, and what it has open ends.
func (s *Server) Reload(ctx context.Context) error {
	_, err := s.reload(ctx)
	return err
}

// reloadAll is Reload as the API puts it: a pool that was rolled back is an answer, not an error. It goes on
// when its caller has gone, but not when the server stops.
func (s *Server) reloadAll(caller context.Context) (httpapi.Reloaded, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(caller))
	defer cancel()
	defer context.AfterFunc(s.live, cancel)()
	done, err := s.reload(ctx)
	switch {
	case err != nil && s.live.Err() != nil:
		return done, supervisor.ErrClosed
	case err != nil:
		s.cfg.Logger.Error("a reload over the API failed: " + err.Error()) // whoever asked for it may have gone
	default:
		s.cfg.Logger.Info("reloaded over the API")
	}
	if rolledBack := new(supervisor.ReloadError); errors.As(err, &rolledBack) {
		return done, nil
	}
	return done, err
}

func (s *Server) reload(ctx context.Context) (httpapi.Reloaded, error) {
	next, err := s.readAgain(ctx)
	if err != nil || s.cfg.Reload == nil {
		return httpapi.Reloaded{}, err
	}
	before := s.supervisor.Snapshot()
	err = s.supervisor.Reload(ctx, next.Pools)
	return httpapi.Reloaded{Pools: s.outcomes(before, s.supervisor.Snapshot(), next.Pools), Restart: next.Restart}, err
}

// readAgain reads the settings and puts to use those that take no time. Those of pools may take as long as
// a task does, which must not keep anybody from taking a token away.
func (s *Server) readAgain(ctx context.Context) (next Settings, err error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	if s.cfg.Reload != nil {
		if next, err = s.cfg.Reload(ctx); err == nil {
			err = s.acceptable(next)
		}
		if err != nil {
			return next, err
		}
	}
	if s.cert != nil {
		if err := s.cert.load(); err != nil {
			return next, fmt.Errorf("api.tls_cert: %w", err)
		}
	}
	if s.cfg.Reload != nil {
		s.api.SetTokens(next.Tokens)
	}
	return next, nil
}

// acceptable refuses settings before any of them is put to use.
func (s *Server) acceptable(next Settings) error {
	a := s.cfg.API
	a.Tokens = next.Tokens
	if err := errors.Join(validateTokens(a.Tokens), a.validateReach()); err != nil {
		return fmt.Errorf("%w: api.%w", ErrConfig, err)
	}
	return s.supervisor.CheckReload(next.Pools)
}

// outcomes tells what became of each pool: one with other settings, or with workers that are new, was
// reloaded.
func (s *Server) outcomes(before, after supervisor.Snapshot, pools []supervisor.PoolConfig) []httpapi.ReloadedPool {
	were := map[string]bool{}
	for _, p := range before.Pools {
		for _, w := range p.Workers {
			were[w.Name] = true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []httpapi.ReloadedPool
	for _, p := range after.Pools {
		r := httpapi.ReloadedPool{Pool: p.Name, Outcome: "unchanged", Message: p.Reload}
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
