package server

import (
	"cmp"
	"context"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/internal/httpapi"
)

// Config configures a Server. New applies defaults to a copy.
type Config struct {
	// Supervisor runs the tasks. Its Broker is needed; the server does not close it.
	Supervisor supervisor.Config
	// API is where and how the server is reached.
	API API
	// Reload reads the settings anew, for Server.Reload and the API's Reload. Default: there is
	// nothing to read, and only the TLS files are read again.
	Reload func(context.Context) (Settings, error)
	// Logger receives what the server and its supervisor have to say. Defaults to the
	// supervisor's, or to none.
	Logger hclog.Logger
}

// Settings are those that can change while a server runs.
type Settings struct {
	Pools  []supervisor.PoolConfig // see supervisor.Supervisor.Reload
	Tokens []Token                 // instead of API.Tokens
	// Restart names other settings that have changed, for whoever asked for the reload: they take effect
	// when the server is started again.
	Restart []string
}

// API says where and how the server is reached.
type API struct {
	// Address is host:port, or unix:/path. Port 0 is any free one. Defaults to 127.0.0.1:7717.
	// One that other machines can reach needs TLS, or Insecure, and Tokens.
	Address string
	// TLSCert and TLSKey are files in PEM, which Reload reads again. Default: no TLS.
	TLSCert, TLSKey string
	// Insecure allows an address that other machines can reach without TLS.
	Insecure bool
	// Tokens that callers must show. Default: whoever reaches the server may do everything.
	Tokens []Token

	// MaxBody is the largest message that is taken, in bytes, decompressed. At least
	// Supervisor.MaxPayload; defaults to 1.5 times that and 4 MiB, for the size that a payload has
	// in JSON.
	MaxBody int
	// MaxBuffered is how much all requests together may hold that are being read or handed to the
	// broker, and results that are being sent, in bytes. Each value of JSON counts as 144. At least MaxBody; defaults to 512 MiB, or 4 times MaxBody if that is more.
	MaxBuffered int
	// MaxBatch is how many tasks one SubmitBatch may hold, and how many ids a request. 1 to 100,000;
	// defaults to 1000.
	MaxBatch int
	// MaxWaits is how many tasks may be waited for at the same time. Defaults to 10,000.
	MaxWaits int
	// MaxStreams is how many streams may be open at the same time. Defaults to 1000.
	MaxStreams int
	// MaxConnections is how many connections may be open at the same time; others wait to be
	// accepted. Defaults to half of the files that this process may open, and at most 20,000: workers
	// need some too.
	MaxConnections int
	// RatePerToken is how many requests a second each token may send; a stream is one request. 0
	// means no limit.
	RatePerToken float64
	// WaitLimit is the longest that a Wait waits. Defaults to 60 s.
	WaitLimit time.Duration
	// StallLimit is how long a caller may neither read what is sent to it nor send what it has
	// begun. Defaults to 30 s.
	StallLimit time.Duration
}

// Token lets its bearer call the API.
type Token = httpapi.Token

// Role says what the bearer of a Token may do.
type Role = httpapi.Role

// Roles.
const (
	RoleAdmin  = httpapi.RoleAdmin  // everything
	RoleSubmit = httpapi.RoleSubmit // submit tasks, wait for them, cancel them
	RoleRead   = httpapi.RoleRead   // look at everything, change nothing
)

// DefaultAddress is API.Address's default.
const DefaultAddress = "127.0.0.1:7717"

// jsonOverhead is what a message may hold besides a payload.
const jsonOverhead = 4 << 20

// withDefaults returns a copy in which every field is set.
func (c Config) withDefaults() Config {
	c.Supervisor.MaxPayload = cmp.Or(c.Supervisor.MaxPayload, supervisor.DefaultMaxPayload)
	if c.Logger == nil {
		c.Logger = c.Supervisor.Logger
	}
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	if c.Supervisor.Logger == nil {
		c.Supervisor.Logger = c.Logger
	}
	a := &c.API
	a.Address = cmp.Or(a.Address, DefaultAddress)
	a.MaxBody = cmp.Or(a.MaxBody, c.Supervisor.MaxPayload/2*3+jsonOverhead)
	a.MaxBuffered = cmp.Or(a.MaxBuffered, max(512<<20, 4*a.MaxBody))
	a.MaxBatch = cmp.Or(a.MaxBatch, 1000)
	a.MaxWaits = cmp.Or(a.MaxWaits, 10_000)
	a.MaxStreams = cmp.Or(a.MaxStreams, 1000)
	a.MaxConnections = cmp.Or(a.MaxConnections, connections())
	a.WaitLimit = cmp.Or(a.WaitLimit, time.Minute)
	a.StallLimit = cmp.Or(a.StallLimit, 30*time.Second)
	return c
}
