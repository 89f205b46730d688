package durable

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/brood-run/brood/cmd/internal/bench/limit"
	"github.com/brood-run/brood/cmd/internal/client"
)

// Setup is a server that could be started.
type Setup struct {
	Brood   string // the binary
	Plugin  string // serves one task, and is the one pool
	Dir     string // data directory; one Server at a time
	Workers int
}

// Server is a running `brood serve`.
type Server struct {
	api     *client.Client // nil until it serves
	address string
	cmd     *exec.Cmd
	stderr  messages
	began   time.Time
	ended   chan struct{} // closed once err is set
	err     error
}

// grace is how long a server may take to stop before it is killed.
const grace = 10 * time.Second

// Start runs a server and returns once it says where it serves. The end of ctx stops it.
func (s Setup) Start(ctx context.Context) (*Server, error) {
	srv := &Server{ended: make(chan struct{}), stderr: messages{address: make(chan string, 1)}}
	srv.cmd = exec.CommandContext(ctx, s.Brood, "serve", "--plugin", s.Plugin, "--workers", strconv.Itoa(s.Workers),
		"--data-dir", s.Dir, "--listen", "127.0.0.1:0", "--log-level", "error")
	srv.cmd.Stderr = &srv.stderr
	srv.cmd.Cancel = func() error { return srv.cmd.Process.Signal(syscall.SIGTERM) }
	srv.cmd.WaitDelay = grace
	srv.began = time.Now()
	if err := srv.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(srv.ended)
		srv.err = srv.cmd.Wait()
	}()
	if err := srv.connect(); err != nil {
		return nil, errors.Join(err, srv.Kill())
	}
	return srv, nil
}

func (srv *Server) connect() (err error) {
	select {
	case srv.address = <-srv.stderr.address:
		srv.api, err = client.New(client.Config{Address: srv.address})
		return err
	case <-srv.ended:
		return srv.failure()
	}
}

// Close stops the server in order.
func (srv *Server) Close() error {
	srv.api.Close()
	_ = srv.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	timer := time.AfterFunc(grace, func() { _ = srv.cmd.Process.Kill() })
	defer timer.Stop()
	<-srv.ended
	if srv.err != nil {
		return srv.failure()
	}
	return nil
}

// Kill ends the server with SIGKILL. That it is killed is no error.
func (srv *Server) Kill() error {
	if srv.api != nil {
		srv.api.Close()
	}
	_ = srv.cmd.Process.Kill() // it may have ended
	<-srv.ended
	if exit := (*exec.ExitError)(nil); srv.err != nil && !errors.As(srv.err, &exit) {
		return srv.err
	}
	return nil
}

func (srv *Server) failure() error {
	return fmt.Errorf("brood serve: %v: %s", srv.err, srv.stderr.text())
}

// RSS of the server itself, without its workers, in bytes.
func (srv *Server) RSS() uint64 { return limit.RSS(srv.cmd.Process.Pid) }

// messages is what a server writes for people. It finds the address in it.
type messages struct {
	address chan string // capacity 1

	mu    sync.Mutex
	all   bytes.Buffer
	found bool
}

// mostMessages bounds what is kept of them, in bytes.
const mostMessages = 64 << 10

var serving = regexp.MustCompile(`serving at (http://[^ ;]+);`)

func (m *messages) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all.Write(p[:min(len(p), mostMessages-min(m.all.Len(), mostMessages))])
	if !m.found {
		if match := serving.FindSubmatch(m.all.Bytes()); match != nil {
			m.found = true
			m.address <- string(match[1])
		}
	}
	return len(p), nil
}

func (m *messages) text() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.all.String()
}
