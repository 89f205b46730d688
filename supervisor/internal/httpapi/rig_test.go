package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor"
	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/broker/memory"
)

// rig is an API on a port of its own, in front of a supervisor whose tasks are in memory.
type rig struct {
	api        *API
	supervisor *supervisor.Supervisor
	broker     *memory.Broker
	web        *httptest.Server
	http1      *http.Client
	http2      *http.Client // without TLS
}

// setup is what tests vary.
type setup struct {
	broker  memory.Config
	pools   []supervisor.PoolConfig // default: faulty with two workers
	tokens  []Token
	limits  func(*Limits)
	backend func(Backend) Backend
	logger  hclog.Logger
	idle    bool // the supervisor is not started
}

func newRig(t testing.TB, s setup) *rig {
	t.Helper()
	r := &rig{broker: memory.New(s.broker)}
	t.Cleanup(func() { _ = r.broker.Close() })
	if s.pools == nil {
		s.pools = []supervisor.PoolConfig{{Plugin: filepath.Join(bin, "faulty"), Workers: 2, MaxAttempts: 1}}
	}
	var err error
	if r.supervisor, err = supervisor.New(supervisor.Config{Pools: s.pools, Broker: r.broker, MaxPayload: 1 << 20, GracePeriod: -1}); err != nil {
		t.Fatal(err)
	}
	if err := r.supervisor.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.supervisor.Close() })
	if s.idle {
		if err := r.supervisor.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	r.serve(t, s)
	return r
}

func (r *rig) serve(t testing.TB, s setup) {
	limits := Limits{MaxBody: 2 << 20, MaxBuffered: 64 << 20, MaxBatch: 1000, MaxWaits: 10_000, MaxStreams: 100, WaitLimit: time.Minute, Stall: 10 * time.Second}
	if s.limits != nil {
		s.limits(&limits)
	}
	if s.logger == nil {
		s.logger = hclog.NewNullLogger()
	}
	cfg := Config{
		Backend: r.supervisor, Broker: r.broker,
		Tokens: s.tokens, Limits: limits, Logger: s.logger,
	}
	if s.backend != nil {
		cfg.Backend = s.backend(cfg.Backend)
	}
	r.api = New(cfg)
	r.web = httptest.NewUnstartedServer(r.api.Handler())
	r.web.Config.Protocols = protocols(true, true)
	r.web.Start()
	t.Cleanup(func() { r.api.Stop(); r.web.Close() })
	r.http1 = client(t, true, false)
	r.http2 = client(t, false, true)
}

func protocols(http1, http2 bool) *http.Protocols {
	p := &http.Protocols{}
	p.SetHTTP1(http1)
	p.SetUnencryptedHTTP2(http2)
	return p
}

func client(t testing.TB, http1, http2 bool) *http.Client {
	transport := &http.Transport{Protocols: protocols(http1, http2)}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (r *rig) tasks(opts ...connect.ClientOption) broodv1.TaskServiceClient {
	return broodv1.NewTaskServiceClient(r.http2, r.web.URL, opts...)
}

func (r *rig) dead(opts ...connect.ClientOption) broodv1.DeadLetterServiceClient {
	return broodv1.NewDeadLetterServiceClient(r.http2, r.web.URL, opts...)
}

func (r *rig) admin(opts ...connect.ClientOption) broodv1.AdminServiceClient {
	return broodv1.NewAdminServiceClient(r.http2, r.web.URL, opts...)
}

// reply is what curl would show.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) json(t testing.TB) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(r.body, &m); err != nil {
		t.Fatalf("status %d, body %q: %v", r.status, r.body, err)
	}
	return m
}

// curl posts JSON to a method of the TaskService, or to a path.
func (r *rig) curl(t testing.TB, path, body string, header ...string) reply {
	t.Helper()
	return r.send(t, http.MethodPost, path, body, append([]string{"Content-Type", "application/json"}, header...)...)
}

func (r *rig) send(t testing.TB, method, path, body string, header ...string) reply {
	t.Helper()
	if path[0] != '/' {
		path = "/brood.v1.TaskService/" + path
	}
	req, err := http.NewRequestWithContext(t.Context(), method, r.web.URL+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	res, err := r.http1.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, b}
}

func submit(t testing.TB, c broodv1.TaskServiceClient, r *broodv1.SubmitRequest) string {
	t.Helper()
	out, err := c.Submit(t.Context(), r)
	if err != nil {
		t.Fatalf("submit: %v", err)
	}
	return out.GetId()
}

func wait(t testing.TB, c broodv1.TaskServiceClient, id string) *broodv1.Task {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	out, err := c.Wait(ctx, &broodv1.WaitRequest{Id: id})
	if err != nil {
		t.Fatalf("wait for %s: %v", id, err)
	}
	return out.GetTask()
}

func payload(s string) *broodv1.SubmitRequest_PayloadBytes {
	return &broodv1.SubmitRequest_PayloadBytes{PayloadBytes: []byte(s)}
}
