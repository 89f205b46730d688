package server_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/server"
)

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	stale, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	stale.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = stale.Close() // as a server that was killed leaves it
	cfg := config(t)
	cfg.API.Address = "unix:" + path
	start(t, cfg)
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	tasks := broodv1.NewTaskServiceClient(&http.Client{Transport: transport}, "http://brood")
	if _, err := tasks.Submit(t.Context(), &broodv1.SubmitRequest{Task: "ok"}); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may use the socket: %v, %v", info.Mode(), err)
	}
	second, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "another server") {
		t.Errorf("a second server: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if _, err := tasks.Submit(t.Context(), &broodv1.SubmitRequest{Task: "ok"}); err != nil {
		t.Errorf("after a second server was refused: %v", err)
	}
}

// Connections that send a request a byte at a time, or only begin one, are cut off, and meanwhile
// everybody else is served.
func TestCallersThatStall(t *testing.T) {
	cfg := config(t)
	cfg.API.StallLimit = 200 * time.Millisecond
	s := start(t, cfg)
	var all []net.Conn
	for range 100 {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, err = io.WriteString(c, "POST /brood.v1.TaskService/Submit HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	if _, err := tasksOf(t, s).Submit(t.Context(), &broodv1.SubmitRequest{Task: "ok"}); err != nil {
		t.Error(err)
	}
	for _, c := range all {
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		said, err := io.ReadAll(c) // up to the end of the connection
		if err != nil || !strings.Contains(string(said), "nothing of the body came") {
			t.Fatalf("a caller that stalls is not cut off: %q, %v", said, err)
		}
	}
}

// Requests that are refused before their body is read are cut off, too, if it does not come: whoever has no
// token could hold all connections otherwise.
func TestBodiesThatNobodyWantsAndThatDoNotCome(t *testing.T) {
	cfg := config(t)
	cfg.API.StallLimit = 2 * time.Second
	cfg.API.Tokens = []server.Token{{Name: "ci", Secret: "a-secret-that-is-long-enough-for-this", Role: server.RoleAdmin}}
	s := start(t, cfg)
	for request, status := range map[string]string{
		"POST /brood.v1.TaskService/Submit HTTP/1.1\r\nContent-Type: application/json":               "401",
		"POST /brood.v1.TaskService/WaitMany HTTP/1.1\r\nContent-Type: application/connect+json":     "200", // the error is in the body
		"POST /brood.v1.TaskService/SubmitStream HTTP/1.1\r\nContent-Type: application/connect+json": "505",
		"POST /brood.v1.TaskService/Submit HTTP/1.1\r\nContent-Type: text/plain":                     "415",
		"POST /brood.v1.TaskService/Submit HTTP/1.1\r\nOrigin: https://elsewhere.example":            "403",
		"PUT /brood.v1.TaskService/Submit HTTP/1.1":                                                  "405",
		"POST /nothing HTTP/1.1": "404",
		"GET /healthz HTTP/1.1":  "200",
		"POST /readyz HTTP/1.1":  "405",
		"OPTIONS * HTTP/1.1":     "404",
	} {
		for _, length := range []string{"Content-Length: 1000", "Transfer-Encoding: chunked"} {
			t.Run(request[:strings.Index(request, " HTTP")]+" "+length, func(t *testing.T) {
				t.Parallel()
				c, err := net.Dial("tcp", s.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if _, err := io.WriteString(c, request+"\r\nHost: localhost\r\n"+length+"\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
				said, err := io.ReadAll(c) // up to the end of the connection
				if err != nil || !strings.HasPrefix(string(said), "HTTP/1.1 "+status) {
					t.Errorf("%q, %v, want %s and the end", said, err, status)
				}
			})
		}
	}
}

func TestHeadersThatAreTooLarge(t *testing.T) {
	s := start(t, config(t))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr().String()+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X", strings.Repeat("x", 200<<10))
	res, err := plain(t).Do(req)
	if err != nil {
		return // cut off while it was sending
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %d", res.StatusCode)
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	cfg := config(t)
	cfg.API.MaxConnections = 1
	s := start(t, cfg)
	first, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := tasksOf(t, s).Submit(context.WithoutCancel(t.Context()), &broodv1.SubmitRequest{Task: "ok"})
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("two connections were served: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	_ = first.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
