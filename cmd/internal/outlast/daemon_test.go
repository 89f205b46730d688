package outlast

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// daemon is a server that is started again and again, at the same address.
type daemon struct {
	t      testing.TB
	name   string
	socket string
	book   string // where its workers write down what they start
	args   []string
	env    []string
	client *http.Client

	mu sync.Mutex
	p  *process
	up chan struct{} // closed while it serves
}

// newDaemon returns a server that is not started yet.
func newDaemon(t testing.TB, name, book string, args ...string) *daemon {
	dir, err := os.MkdirTemp("", "brood-") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &daemon{t: t, name: name, socket: filepath.Join(dir, "s"), book: book, up: make(chan struct{})}
	d.args = append([]string{"serve", "--plugin", filepath.Join(bin, "tally"), "--listen", "unix:" + d.socket}, args...)
	transport := &http.Transport{
		MaxIdleConnsPerHost: 64,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", d.socket)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	d.client = &http.Client{Transport: transport}
	return d
}

// start starts it and waits until it serves; it returns how long that took.
func (d *daemon) start() time.Duration {
	d.t.Helper()
	began := time.Now()
	p := run(d.t, d.name, append(d.env, "TALLY_BOOK="+d.book), filepath.Join(bin, "brood"), d.args...)
	if err := p.await("serving at"); err != nil {
		d.t.Fatal(err)
	}
	took := time.Since(began)
	d.mu.Lock()
	d.p = p
	close(d.up)
	d.mu.Unlock()
	return took
}

// down notes that it serves no more and returns its process.
func (d *daemon) down() *process {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.up = make(chan struct{})
	return d.p
}

func (d *daemon) kill() { d.down().kill() }

// stop ends it in order.
func (d *daemon) stop() {
	d.t.Helper()
	p := d.down()
	p.signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		if !p.cmd.ProcessState.Success() {
			d.t.Errorf("%s ended with %v", d.name, p.cmd.ProcessState)
		}
	case <-time.After(patience):
		d.t.Errorf("%s did not end within %v", d.name, patience)
	}
}

// process is the one that runs, or ran last.
func (d *daemon) process() *process {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.p
}

// serving waits until it serves.
func (d *daemon) serving(ctx context.Context) error {
	d.mu.Lock()
	up := d.up
	d.mu.Unlock()
	select {
	case <-up:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// call calls the API.
func (d *daemon) call(ctx context.Context, method string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/brood.v1."+method, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := d.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s %s", method, answer.Status, bytes.TrimSpace(text))
	}
	return json.Unmarshal(text, out)
}
