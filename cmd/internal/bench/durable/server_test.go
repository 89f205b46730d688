package durable

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestEachTaskIsCounted(t *testing.T) {
	srv := start(t)
	if err := srv.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rate, err := srv.Through(t.Context(), []byte("x"), 1203); err != nil || rate <= 0 {
		t.Errorf("%v tasks/s, %v", rate, err)
	}
	input := filepath.Join(t.TempDir(), "tasks.jsonl")
	if err := os.WriteFile(input, bytes.Repeat([]byte("{\"payload\":1}\n"), 1203), 0o600); err != nil {
		t.Fatal(err)
	}
	if rate, err := srv.Submitted(t.Context(), srv.cmd.Path, input, 1203); err != nil || rate <= 0 {
		t.Errorf("%v tasks/s, %v", rate, err)
	}
	if _, err := srv.Submitted(t.Context(), srv.cmd.Path, input, 1204); err == nil || !strings.Contains(err.Error(), "1203 tasks of 1204") {
		t.Errorf("a task that is missing: %v", err)
	}
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
}

func TestTimesOfSingleTasks(t *testing.T) {
	srv := start(t)
	for name, measure := range map[string]func(context.Context, []byte, time.Duration) ([]time.Duration, error){
		"Alone": srv.Alone, "Trips": srv.Trips,
	} {
		took, err := measure(t.Context(), []byte("x"), 50*time.Millisecond)
		if err != nil || len(took) == 0 || took[0] <= 0 {
			t.Errorf("%s: %v, %v", name, took, err)
		}
	}
}

func TestATaskThatDiesIsAnError(t *testing.T) {
	s := setup(t, "faulty")
	srv, err := s.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Kill()
	r := request(nil)
	r.Task = "fail"
	if err := srv.roundTrip(t.Context(), r); err == nil || !strings.Contains(err.Error(), "DEAD") {
		t.Errorf("got %v", err)
	}
}

func TestBacklog(t *testing.T) {
	b, err := setup(t, "echo").Backlog(t.Context(), []byte("x"), 2000, 2, 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Submits) == 0 || b.Start <= 0 || b.AfterKill <= 0 || b.RSS == 0 {
		t.Errorf("%+v", b)
	}
}

func TestTheBrokerAlone(t *testing.T) {
	if rate, err := BrokerAlone(t.Context(), t.TempDir(), []byte("x"), 2001); err != nil || rate <= 0 {
		t.Errorf("%v tasks/s, %v", rate, err)
	}
}

// A server that cannot start says why, and nothing is left of it.
func TestAServerThatCannotStart(t *testing.T) {
	s := setup(t, "echo")
	s.Plugin = "no-such-plugin"
	if _, err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "no-such-plugin") {
		t.Errorf("got %v", err)
	}
}

// Ctrl-C ends the context of everything.
func TestTheEndOfTheContextStopsTheServer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	srv, err := setup(t, "echo").Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Warm(ctx); err != nil {
		t.Fatal(err)
	}
	workers, err := srv.api.Admin.ListWorkers(ctx, nil)
	if err != nil || len(workers.GetWorkers()) != 2 {
		t.Fatalf("%v, %v", workers, err)
	}
	cancel()
	<-srv.ended
	srv.api.Close()
	for _, w := range workers.GetWorkers() {
		if err := syscall.Kill(int(w.GetPid()), 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("worker %s is there after the end: %v", w.GetName(), err)
		}
	}
}

func TestMessagesAreBounded(t *testing.T) {
	m := &messages{address: make(chan string, 1)}
	for _, text := range []string{"a warning\nbrood: serv", "ing at http://127.0.0.1:1; tasks\n", "serving at http://127.0.0.1:2;"} {
		if n, err := m.Write([]byte(text)); n != len(text) || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := <-m.address; got != "http://127.0.0.1:1" {
		t.Errorf("found %s", got)
	}
	for range 3 {
		m.Write(make([]byte, mostMessages-100))
	}
	if n := len(m.text()); n != mostMessages {
		t.Errorf("%d bytes are kept", n)
	}
}

func TestShares(t *testing.T) {
	for n := range 10 {
		sum := 0
		for i := range callers {
			sum += share(n, i)
		}
		if sum != n {
			t.Errorf("%d tasks are shared out as %d", n, sum)
		}
	}
}
