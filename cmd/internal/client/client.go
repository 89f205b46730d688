package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

// Config says where the server is and who asks.
type Config struct {
	// Address as ParseAddress returns it. Defaults to DefaultAddress.
	Address string
	// Token is sent with every request. Empty means none.
	Token string
	// CAFile holds the certificates, in PEM, by which the server is known, in place of those of the
	// system. Empty means those of the system.
	CAFile string
}

// Client is the API of one server.
type Client struct {
	Tasks       broodv1.TaskServiceClient
	DeadLetters broodv1.DeadLetterServiceClient
	Admin       broodv1.AdminServiceClient

	address   string
	transport *http.Transport
	reached   *atomic.Bool // something has answered there
	together  atomic.Int64 // how many tasks one call waits for
}

const (
	// dialTimeout is how long a server may take to accept a connection.
	dialTimeout = 5 * time.Second
	// largestAnswer is a result of the largest size, and its record.
	largestAnswer = 1<<30 + 1<<24
)

// New returns a client. It opens no connection; close it nevertheless.
func New(config Config) (*Client, error) {
	if config.Address == "" {
		config.Address = DefaultAddress
	}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout: dialTimeout,
		IdleConnTimeout:     time.Minute,
		ForceAttemptHTTP2:   true,
	}
	base := config.Address
	if path, is := strings.CutPrefix(base, unixPrefix); is {
		base = "http://localhost"
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "unix", path)
		}
	}
	if config.CAFile != "" {
		roots, err := certificates(config.CAFile)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	reached := new(atomic.Bool)
	caller := &http.Client{
		Transport: bearer{token: config.Token, next: transport, reached: reached},
		// A token is meant for the server that was named, and no RPC is redirected.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	options := []connect.ClientOption{
		connect.WithReadMaxBytes(largestAnswer),
		connect.WithAcceptCompression("gzip", nil, nil), // payloads are rarely worth it
	}
	c := &Client{
		Tasks:       broodv1.NewTaskServiceClient(caller, base, options...),
		DeadLetters: broodv1.NewDeadLetterServiceClient(caller, base, options...),
		Admin:       broodv1.NewAdminServiceClient(caller, base, options...),
		address:     config.Address,
		transport:   transport,
		reached:     reached,
	}
	c.together.Store(waitTogether)
	return c, nil
}

// Close lets go of idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

func certificates(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", path)
	}
	return pool, nil
}

// bearer adds the token to each request, and notes whether there was an answer.
type bearer struct {
	token   string
	next    http.RoundTripper
	reached *atomic.Bool
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.token != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	answer, err := b.next.RoundTrip(r)
	if err == nil {
		b.reached.Store(true)
	}
	return answer, err
}
