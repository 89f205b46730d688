package jetstream

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/brood-run/brood/supervisor/broker"
	"github.com/brood-run/brood/supervisor/broker/brokertest"
)

// settled is a configuration as the suite asks for it.
func settled(s brokertest.Settings) Config {
	return Config{LeaseTime: s.LeaseTime, ResultTTL: s.ResultTTL, QueueSize: s.QueueSize, MaxResults: s.ResultLimit}
}

// long is the variable that has a cluster asked everything and more rounds played of what is random, which takes
// some minutes.
const long = "BROOD_TEST_LONG"

// everything says whether all is asked of all.
func everything() bool { return os.Getenv(long) != "" }

// rounds says how often calls in a random order are played.
func rounds(k brokertest.Kit) brokertest.Kit {
	if k.Rounds = 6; everything() {
		k.Rounds = 25
	}
	return k
}

func TestEmbedded(t *testing.T) {
	brokertest.Run(t, rounds(brokertest.Kit{
		LeaseTime: time.Second,
		Durable:   true,
		New: func(t testing.TB, s brokertest.Settings) *brokertest.Store {
			cfg := settled(s)
			cfg.Dir = t.TempDir()
			return &brokertest.Store{Open: func(t testing.TB) broker.Broker { return opened(t, cfg) }}
		},
	}))
}

// opened is a broker that the caller closes.
func opened(t testing.TB, cfg Config) *Broker {
	t.Helper()
	b, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRemote(t *testing.T) {
	brokertest.Run(t, rounds(brokertest.Kit{
		LeaseTime: time.Second,
		Durable:   true,
		Shared:    true,
		New: func(t testing.TB, s brokertest.Settings) *brokertest.Store {
			n := oneServer(t)
			cfg := settled(s)
			cfg.URL = n.url()
			return &brokertest.Store{
				Open:  func(t testing.TB) broker.Broker { return opened(t, cfg) },
				Break: func(testing.TB) { n.stop() },
				Mend:  func(t testing.TB) { n.start(t) },
			}
		},
	}))
}

func TestCluster(t *testing.T) {
	// What depends on more than one server is asked always.
	groups := []string{
		"enqueue", "lease", "lapse", "ack", "nack", "unique", "concurrency", "ledger", "cancel", "pools", "dead", "close", "durable", "shared",
	}
	if everything() {
		groups = nil
	}
	nodes := cluster(t)
	spaces := &namespaces{}
	brokertest.Run(t, rounds(brokertest.Kit{
		LeaseTime: 2 * time.Second,
		Patience:  5 * time.Minute,
		Durable:   true,
		Shared:    true,
		Groups:    groups,
		New: func(t testing.TB, s brokertest.Settings) *brokertest.Store {
			cfg := settled(s)
			cfg.URL = urls(nodes)
			cfg.Namespace = spaces.take()
			t.Cleanup(func() {
				clearAway(t, cfg, nodes)
				spaces.giveBack(cfg.Namespace)
			})
			return &brokertest.Store{Open: func(t testing.TB) broker.Broker { return opened(t, cfg) }}
		},
	}))
}

// A cluster of its own for each test, all of which goes down.
func TestClusterGoesDown(t *testing.T) {
	if !everything() {
		t.Skip("takes most of a minute; set " + long)
	}
	brokertest.Run(t, rounds(brokertest.Kit{
		LeaseTime: 2 * time.Second,
		Patience:  5 * time.Minute,
		Durable:   true,
		Groups:    []string{"outage"},
		New: func(t testing.TB, s brokertest.Settings) *brokertest.Store {
			nodes := cluster(t)
			cfg := settled(s)
			cfg.URL = urls(nodes)
			return &brokertest.Store{
				Open: func(t testing.TB) broker.Broker { return opened(t, cfg) },
				Break: func(testing.TB) {
					for _, n := range nodes {
						n.stop()
					}
				},
				Mend: func(t testing.TB) {
					for _, n := range nodes {
						n.start(t)
					}
					awaitLeader(t, nodes)
					_ = opened(t, cfg).Close() // each stream has found its leader then
				},
			}
		},
	}))
}

// namespaces are those of a cluster that no test uses just now: to make the streams of a new one takes a cluster longer
// than most tests take.
type namespaces struct {
	mu   sync.Mutex
	made int
	free []string
}

func (n *namespaces) take() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if last := len(n.free) - 1; last >= 0 {
		name := n.free[last]
		n.free = n.free[:last]
		return name
	}
	n.made++
	return fmt.Sprint("s", n.made)
}

func (n *namespaces) giveBack(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.free = append(n.free, name)
}

// clearAway deletes the queues that a test has left in its namespace, and empties the rest.
func clearAway(t testing.TB, cfg Config, nodes []*node) {
	s, err := newSession(cfg.withDefaults())
	if err != nil {
		t.Error(err)
		return
	}
	defer s.close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for info := range s.js.ListStreams(ctx, jetstream.WithStreamListSubject(s.names.subject(">"))).Info() {
		if name := info.Config.Name; info.Config.Metadata["pool"] != "" {
			err = s.js.DeleteStream(ctx, name)
			await(t, "an end of "+name, func() bool {
				return !slices.ContainsFunc(nodes, func(n *node) bool {
					return n.running.JetStreamIsStreamAssigned(server.DEFAULT_GLOBAL_ACCOUNT, name)
				})
			})
		} else if stream, cause := s.js.Stream(ctx, name); cause != nil {
			err = cause
		} else {
			err = stream.Purge(ctx)
		}
		if err != nil {
			t.Error(err)
		}
	}
}
