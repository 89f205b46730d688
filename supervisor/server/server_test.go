package server_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brood-run/brood/supervisor"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/broker/memory"
	"github.com/brood-run/brood/supervisor/server"
)

// config is a server of one pool of the plugin that misbehaves on request, on any free port.
func config(t testing.TB) server.Config {
	b := memory.New(memory.Config{})
	t.Cleanup(func() { _ = b.Close() })
	return server.Config{
		Supervisor: supervisor.Config{
			Pools:       []supervisor.PoolConfig{{Plugin: filepath.Join(bin, "faulty"), Workers: 1, MaxAttempts: 1}},
			Broker:      b,
			GracePeriod: 10 * time.Second,
		},
		API: server.API{Address: "127.0.0.1:0"},
	}
}

func start(t testing.TB, cfg server.Config) *server.Server {
	t.Helper()
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// plain is a client of one test, so that none of its connections outlive it.
func plain(t testing.TB) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func tasksOf(t testing.TB, s *server.Server) broodv1.TaskServiceClient {
	return broodv1.NewTaskServiceClient(plain(t), "http://"+s.Addr().String())
}

// code is the first word of an API's error.
func code(err error) string {
	if err == nil {
		return "ok"
	}
	word, _, _ := strings.Cut(err.Error(), ":")
	return word
}

func read(t testing.TB, c *http.Client, url string) (int, string) {
	t.Helper()
	res, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestServerAnswersFromStartToStop(t *testing.T) {
	s := start(t, config(t))
	tasks, base := tasksOf(t, s), "http://"+s.Addr().String()
	for path, want := range map[string]string{"/healthz": `{"ok":true}`, "/readyz": `{"ready":true}`} {
		if status, body := read(t, plain(t), base+path); status != 200 || strings.TrimSpace(body) != want {
			t.Errorf("%s: %d %s, want %s", path, status, body, want)
		}
	}
	out, err := tasks.Submit(t.Context(), &broodv1.SubmitRequest{Task: "ok"})
	if err != nil {
		t.Fatal(err)
	}
	done, err := tasks.Wait(t.Context(), &broodv1.WaitRequest{Id: out.GetId()})
	if err != nil || done.GetTask().GetState() != broodv1.TaskState_TASK_STATE_COMPLETED {
		t.Fatalf("%v, %v", done, err)
	}
	for range 2 {
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	<-s.Done()
	if _, err := broodv1.NewTaskServiceClient(plain(t), base).Get(t.Context(), &broodv1.GetRequest{Id: out.GetId()}); code(err) != "unavailable" {
		t.Errorf("after Stop: %v", err)
	}
	if err := s.Start(t.Context()); !errors.Is(err, supervisor.ErrStarted) && !errors.Is(err, supervisor.ErrClosed) {
		t.Errorf("Start after Stop: %v", err)
	}
}

func TestStopWithoutStart(t *testing.T) {
	s, err := server.New(config(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestStopEndsWaitsAtOnceAndTasksInOrder(t *testing.T) {
	s := start(t, config(t))
	tasks := tasksOf(t, s)
	if err := s.Supervisor().WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	events := s.Supervisor().Events(100)
	defer events.Close()
	out, err := tasks.Submit(t.Context(), &broodv1.SubmitRequest{
		Task: "sleep", Input: &broodv1.SubmitRequest_PayloadBytes{PayloadBytes: []byte(`{"ms":700}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for e := range events.C() {
		if e.Kind() == "task_started" {
			break
		}
	}
	waited := make(chan error, 1)
	go func() {
		_, err := tasks.Wait(context.WithoutCancel(t.Context()), &broodv1.WaitRequest{Id: out.GetId()})
		waited <- err
	}()
	base := "http://" + s.Addr().String()
	ended := make(chan error, 1)
	go func() { ended <- s.Stop(context.WithoutCancel(t.Context())) }()
	if err := <-waited; code(err) != "unavailable" {
		t.Errorf("the wait ended with %v", err)
	}
	if status, body := read(t, plain(t), base+"/readyz"); status != 503 || !strings.Contains(body, "stopping") {
		t.Errorf("/readyz while stopping: %d %s", status, body)
	}
	// The task was let finish.
	got, err := tasks.Get(t.Context(), &broodv1.GetRequest{Id: out.GetId()})
	if err != nil || got.GetTask().GetState() != broodv1.TaskState_TASK_STATE_RUNNING {
		t.Errorf("the task while stopping: %v, %v", got, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
