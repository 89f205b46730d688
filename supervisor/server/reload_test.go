package server_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/server"
)

func TestReloadOverTheAPI(t *testing.T) {
	good := supervisor.PoolConfig{Name: "p", Plugin: filepath.Join(bin, "faulty"), Workers: 1}
	next, fail := good, error(nil)
	cfg := config(t)
	cfg.Supervisor.Pools = []supervisor.PoolConfig{good}
	cfg.Reload = func(context.Context) (server.Settings, error) {
		return server.Settings{Pools: []supervisor.PoolConfig{next}, Restart: []string{"listen"}}, fail
	}
	s := start(t, cfg)
	if err := s.Supervisor().WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	admin := broodv1.NewAdminServiceClient(plain(t), "http://"+s.Addr().String())
	reload := func(want string) {
		t.Helper()
		out, err := admin.Reload(t.Context(), &broodv1.ReloadRequest{})
		if err != nil || len(out.GetPools()) != 1 || len(out.GetRestart()) != 1 || out.GetPools()[0].GetOutcome() != want {
			t.Errorf("%v, %v, want %s", out, err, want)
		}
	}
	reload("unchanged")
	next.Args = []string{"-x"}
	reload("reloaded")
	next.Plugin = "/missing"
	reload("rolled_back")
	if err := s.Reload(t.Context()); !errors.Is(err, supervisor.ErrRolledBack) {
		t.Errorf("Reload: %v", err)
	}
	pools, err := admin.ListPools(t.Context(), &broodv1.ListPoolsRequest{})
	if err != nil || pools.GetPools()[0].GetReloadError() == "" {
		t.Errorf("%v, %v", pools, err)
	}
	next.Workers = -1
	if _, err := admin.Reload(t.Context(), &broodv1.ReloadRequest{}); code(err) != "invalid_argument" {
		t.Errorf("bad settings: %v", err)
	}
	fail = errors.New("brood.yaml:7: unknown key")
	if _, err := admin.Reload(t.Context(), &broodv1.ReloadRequest{}); code(err) != "failed_precondition" {
		t.Errorf("bad file: %v", err)
	}
}

func TestScaleAndRecycleOverTheAPI(t *testing.T) {
	s := start(t, config(t))
	events := s.Supervisor().Events(1000)
	defer events.Close()
	if err := s.Supervisor().WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	admin := broodv1.NewAdminServiceClient(plain(t), "http://"+s.Addr().String())
	if _, err := admin.ScalePool(t.Context(), &broodv1.ScalePoolRequest{Pool: "faulty", Workers: 2}); err != nil {
		t.Fatal(err)
	}
	pools, err := admin.ListPools(t.Context(), &broodv1.ListPoolsRequest{})
	if err != nil || pools.GetPools()[0].GetWorkers() != 2 {
		t.Errorf("%v, %v", pools, err)
	}
	workers, err := admin.ListWorkers(t.Context(), &broodv1.ListWorkersRequest{})
	if err != nil || len(workers.GetWorkers()) == 0 {
		t.Fatalf("%v, %v", workers, err)
	}
	if _, err := admin.RecycleWorker(t.Context(), &broodv1.RecycleWorkerRequest{Name: workers.GetWorkers()[0].GetName()}); err != nil {
		t.Fatal(err)
	}
	for e := range events.C() {
		if e.Kind() == "worker_exited" {
			break
		}
	}
	if _, err := admin.RecycleWorker(t.Context(), &broodv1.RecycleWorkerRequest{Name: "nobody"}); code(err) != "not_found" {
		t.Errorf("no worker: %v", err)
	}
	if _, err := admin.ScalePool(t.Context(), &broodv1.ScalePoolRequest{Pool: "nobody", Workers: 1}); code(err) != "not_found" {
		t.Errorf("no pool: %v", err)
	}
}

// told hands on the lines of a log.
type told chan string

func (c told) Write(p []byte) (int, error) {
	c <- string(p)
	return len(p), nil
}

// A reload that was begun over the API goes on when its caller does not wait for it, and says what became of it.
func TestReloadOutlastsItsCaller(t *testing.T) {
	begun, proceed, log := make(chan context.Context), make(chan error), make(told, 1000)
	cfg := config(t)
	cfg.Logger = hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Info})
	cfg.Supervisor.Logger = hclog.NewNullLogger()
	cfg.Supervisor.Pools[0].Name = "p"
	cfg.Reload = func(ctx context.Context) (server.Settings, error) {
		begun <- ctx
		return server.Settings{Pools: cfg.Supervisor.Pools}, <-proceed
	}
	s := start(t, cfg)
	admin := broodv1.NewAdminServiceClient(plain(t), "http://"+s.Addr().String())
	for fault, says := range map[error]string{nil: "[INFO]  reloaded", errors.New("brood.yaml:7: unknown key"): "[ERROR] a reload over the API failed: brood.yaml:7"} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour) // which the server is told, too
		gone := make(chan error, 1)
		go func() {
			_, err := admin.Reload(ctx, &broodv1.ReloadRequest{})
			gone <- err
		}()
		during := <-begun
		cancel()
		if err := <-gone; err == nil {
			t.Error("the caller has waited")
		}
		if _, bounded := during.Deadline(); bounded || during.Err() != nil {
			t.Errorf("the reload is bounded by its caller: %v", during)
		}
		proceed <- fault
		for line := range log {
			if strings.Contains(line, "over the API") {
				if !strings.Contains(line, says) {
					t.Errorf("the log says %q, want %q", line, says)
				}
				break
			}
		}
	}
}

func TestStopEndsAReloadOverTheAPI(t *testing.T) {
	begun := make(chan struct{})
	cfg := config(t)
	cfg.Reload = func(ctx context.Context) (server.Settings, error) {
		close(begun)
		<-ctx.Done()
		return server.Settings{}, ctx.Err()
	}
	s := start(t, cfg)
	answer := make(chan error, 1)
	go func() {
		_, err := broodv1.NewAdminServiceClient(plain(t), "http://"+s.Addr().String()).Reload(context.WithoutCancel(t.Context()), &broodv1.ReloadRequest{})
		answer <- err
	}()
	<-begun
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-answer; code(err) != "unavailable" {
		t.Errorf("the caller is told %v", err)
	}
}
