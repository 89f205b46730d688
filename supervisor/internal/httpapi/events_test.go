package httpapi

import (
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/event"
)

// talkative is a supervisor whose events a test makes.
type talkative struct {
	Backend
	hub event.Hub
}

func (b *talkative) Events(buffer int) *event.Subscription { return b.hub.Subscribe(buffer) }

func watch(t testing.TB, r *rig, kinds ...string) *connect.ServerStreamForClient[broodv1.WatchEventsResponse] {
	t.Helper()
	s, err := r.admin().WatchEvents(t.Context(), &broodv1.WatchEventsRequest{Kinds: kinds})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.api.Stop(); _ = s.Close() })
	s.ResponseHeader() // it has begun
	return s
}

func TestEventsHaveTheirFields(t *testing.T) {
	b := &talkative{}
	r := newRig(t, setup{idle: true, backend: func(to Backend) Backend { b.Backend = to; return b }})
	s := watch(t, r, "worker_ready", "task_progress", "plugin_changed")
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	b.hub.Publish(event.PoolRecovered{Time: at, Pool: "not asked for"})
	b.hub.Publish(event.WorkerReady{Time: at, Pool: "p", Worker: "w", PID: 7, Took: 1500 * time.Millisecond})
	b.hub.Publish(event.TaskProgress{Time: at, Pool: "p", Task: "t", Name: "n", Fraction: 0.5, Message: "\xff"})
	b.hub.Publish(event.PluginChanged{Time: at, Refused: true})
	for _, want := range []map[string]any{
		{"pool": "p", "worker": "w", "pid": 7.0, "took": 1.5},
		{"pool": "p", "task": "t", "name": "n", "worker": "", "fraction": 0.5, "message": "\uFFFD"},
		{"pool": "", "plugin": "", "old": event.File{}.String(), "new": event.File{}.String(), "refused": true},
	} {
		if !s.Receive() {
			t.Fatal(s.Err())
		}
		got := s.Msg()
		if diff := cmp.Diff(want, got.GetFields().AsMap()); diff != "" || !got.GetTime().AsTime().Equal(at) || got.GetText() == "" {
			t.Errorf("%v\n%s", got, diff)
		}
	}
	r.api.Stop()
	if s.Receive() || connect.CodeOf(s.Err()) != connect.CodeUnavailable {
		t.Errorf("after Stop: %v", s.Err())
	}
}

func TestSlowReaderOfEventsIsToldWhatItLost(t *testing.T) {
	b := &talkative{}
	r := newRig(t, setup{idle: true, backend: func(to Backend) Backend { b.Backend = to; return b }})
	s := watch(t, r)
	text := strings.Repeat("x", 10_000)
	const n = 20_000 // 200 MB, more than all buffers hold
	for range n {
		b.hub.Publish(event.PoolDegraded{Pool: "p", Reason: text}) // never waits
	}
	b.hub.Close()
	var got, dropped uint64
	for s.Receive() {
		got++
		dropped += s.Msg().GetDropped()
	}
	if got == 0 || dropped == 0 || got+dropped > n || got+dropped < n-eventsBehind {
		t.Errorf("%d events came, %d were dropped, of %d", got, dropped, n)
	}
}

func TestEventsOfATask(t *testing.T) {
	r := newRig(t, setup{})
	s := watch(t, r, "task_finished")
	id := submit(t, r.tasks(), &broodv1.SubmitRequest{Task: "ok"})
	if !s.Receive() {
		t.Fatal(s.Err())
	}
	if f := s.Msg().GetFields().AsMap(); f["task"] != id || f["status"] != "completed" {
		t.Errorf("got %v", f)
	}
}
