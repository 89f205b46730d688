package httpapi

import (
	"context"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/brood-run/brood/supervisor"
	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/event"
)

// Backend is what the API asks of a supervisor.
type Backend interface {
	// Enqueue completes and checks messages and stores them. It returns an error for each, nil
	// for what is stored; a nil slice means that all are.
	Enqueue(ctx context.Context, messages []*broker.Message) []error
	// Drain starts no more tasks and returns when none runs; Undrain starts them again.
	Drain(ctx context.Context) error
	Undrain()
	Draining() bool
	// Recycle replaces a worker, Scale changes the number of a pool's workers.
	Recycle(worker string) error
	Scale(pool string, workers int) error
	Snapshot() supervisor.Snapshot
	Events(buffer int) *event.Subscription
}

var _ Backend = (*supervisor.Supervisor)(nil)

// Config configures an API. All of it is needed but what says otherwise.
type Config struct {
	Backend Backend
	Broker  broker.Broker
	// Reload reads the configuration again. Nil: there is none to read.
	Reload func(context.Context) (Reloaded, error)
	// Tokens that callers must show. None: everybody may do everything.
	Tokens []Token
	// Hosts that a request may name in its Host header, besides loopback addresses and
	// localhost. Looked at only if there are no Tokens.
	Hosts []string
	// AnyHost: no web page can reach this server, so that the Host header says nothing.
	AnyHost bool
	Limits  Limits
	Logger  hclog.Logger
}

// Limits of what callers may ask for.
type Limits struct {
	MaxBody      int           // bytes of one message, decompressed
	MaxBuffered  int           // bytes of all requests, and large answers, as they are in memory; at least MaxBody
	MaxBatch     int           // tasks in a SubmitBatch, ids in a request
	MaxWaits     int           // tasks that are waited for at the same time
	MaxStreams   int           // streams that are open at the same time
	RatePerToken float64       // requests per second; 0: none
	WaitLimit    time.Duration // the longest wait
	Stall        time.Duration // how long one read or write may make no progress
}

// Reloaded is what a reload did.
type Reloaded struct {
	Pools []ReloadedPool
	// Restart names the settings that have changed and take effect only when the server is started again.
	Restart []string
}

// ReloadedPool is what a reload did with one pool.
type ReloadedPool struct {
	Pool    string
	Outcome string // unchanged, reloaded or rolled_back
	Message string // why it was rolled back
}
